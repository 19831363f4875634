using System.Diagnostics;

namespace Broker.Tests.T01_Connect;

public sealed class TimeLimitTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-3.2.2-22]
    [Theory, EveryVersion]
    public async Task Silent_client_is_disconnected_after_one_and_a_half_keep_alives_MQTT_3_1_2_22(ProtocolVersion version)
    {
        var clock = Stopwatch.StartNew();
        var client = await ConnectAsync(new ConnectOptions(version) { KeepAlive = 1 });

        await client.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);

        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(1.4), ScriptedClient.Patience);
    }

    [Fact]
    public async Task Any_packet_keeps_the_connection_alive()
    {
        var client = await ConnectAsync(new ConnectOptions { KeepAlive = 3 });
        var clock = Stopwatch.StartNew();

        // Longer than the 4.5 s after which a silent client is disconnected.
        while (clock.Elapsed < TimeSpan.FromSeconds(6))
        {
            await client.SendPublishAsync(Topic(), "alive");
            await client.ExpectNothingAsync(TimeSpan.FromMilliseconds(600));
        }

        await client.PingAsync();
    }

    [Fact]
    public async Task What_the_broker_sends_does_not_keep_a_client_alive()
    {
        var client = await ConnectAsync(new ConnectOptions { KeepAlive = 1 });
        var publisher = await ConnectAsync();

        // Before the last packet of the client: the clock is never behind the broker's.
        var clock = Stopwatch.StartNew();
        await client.SubscribeAsync(Topic());

        while (!client.IsClosed && clock.Elapsed < ScriptedClient.Patience)
        {
            await publisher.SendPublishAsync(Topic(), "to the silent one");
            await publisher.ExpectNothingAsync(TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(1), ScriptedClient.Patience);
    }

    // Control Packets count, not bytes: also [MQTT-3.1.2-24] of 3.1.1.
    [Theory, EveryVersion]
    public async Task Packet_that_never_ends_does_not_keep_a_client_alive_MQTT_3_1_2_22(ProtocolVersion version)
    {
        var client = await ConnectAsync(new ConnectOptions(version) { KeepAlive = 1 });
        var clock = Stopwatch.StartNew();
        var packet = Packets.Publish(version, new PublishOptions(Topic(), new byte[100_000]));
        var isOpen = true;

        for (var sent = 0; isOpen && sent < packet.Length && clock.Elapsed < ScriptedClient.Patience; sent++)
        {
            isOpen = await client.TrySendAsync(packet.AsMemory(sent, 1)) && !await client.ClosesAsync(TimeSpan.FromMilliseconds(100));
        }

        Assert.False(isOpen, "the connection is still open");
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(1), ScriptedClient.Patience);
    }

    [Fact]
    public async Task Keep_alive_zero_means_no_limit()
    {
        var client = await ConnectAsync(new ConnectOptions { KeepAlive = 0 });

        await client.ExpectNothingAsync(TimeSpan.FromSeconds(3));

        await client.PingAsync();
    }
}
