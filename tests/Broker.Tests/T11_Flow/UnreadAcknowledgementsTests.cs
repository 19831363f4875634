namespace Broker.Tests.T11_Flow;

/// <summary>
/// A publisher that does not read its acknowledgements is not read either, once more of them wait than the budget allows: that must not keep its
/// connection from ending when it has to.
/// </summary>
public sealed class UnreadAcknowledgementsTests() : OwnBrokerTest(("Limits:OutboundBufferBytes", "4KiB"))
{
    // Of what a client sends at once; its acknowledgements alone fill the budget.
    private const int Burst = 1_000;

    // Far above what the end of a connection takes, and below the time for clients that do not go when the broker stops (20 s).
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Still = TimeSpan.FromMilliseconds(500);

    /// <summary>[MQTT-3.1.2-22]</summary>
    [OwnFact]
    public async Task Its_connection_ends_with_its_keep_alive_and_its_will_is_published()
    {
        var watcher = await ConnectAsync();
        await watcher.SubscribeAsync("gone", 1);
        await using var flood = await StuckAsync(new ConnectOptions { KeepAlive = 1, Will = new Will("gone", "stuck", qos: 1) });

        Assert.Equal("stuck", (await watcher.ExpectAsync(PacketType.Publish)).Text);
        Assert.False(await flood.IsOpenAsync());
    }

    /// <summary>[MQTT-3.1.4-3]</summary>
    [OwnTheory]
    [InlineData(ProtocolVersion.Mqtt311)]
    [InlineData(ProtocolVersion.Mqtt5)]
    public async Task Its_connection_ends_when_another_one_takes_over(ProtocolVersion version)
    {
        await using var flood = await StuckAsync(new ConnectOptions(version) { ClientId = "twice" });
        await ConnectAsync(new ConnectOptions(version) { ClientId = "twice" });
        Assert.False(await flood.IsOpenAsync());
    }

    [OwnFact]
    public async Task Its_connection_does_not_hold_up_the_stop_of_the_broker()
    {
        await using var flood = await StuckAsync(new ConnectOptions());
        Assert.Equal(0, await Server.TerminateAsync(Soon));
    }

    /// <summary>A client of which the broker takes no more.</summary>
    private async Task<Flood> StuckAsync(ConnectOptions options)
    {
        var flood = new Flood(await ConnectAsync(options, receiveBuffer: 4096));
        for (var before = -1; flood.Bursts != before;)
        {
            before = flood.Bursts;
            await Task.Delay(Still);
        }

        return flood;
    }

    /// <summary>Sends as long as the broker reads, and reads nothing.</summary>
    private sealed class Flood : IAsyncDisposable
    {
        private readonly ScriptedClient _client;
        private readonly Task _sending;
        private int _bursts;

        public Flood(ScriptedClient client)
        {
            _client = client;
            client.PauseReading();
            var one = Packets.Publish(client.Version, new PublishOptions("nobody", "x") { Qos = 1, PacketId = 1 });
            _sending = SendAsync([.. Enumerable.Repeat(one, Burst).SelectMany(static b => b)]);
        }

        public int Bursts => Volatile.Read(ref _bursts);

        /// <summary>Whether the broker has left the connection open.</summary>
        public async Task<bool> IsOpenAsync() => await Task.WhenAny(_sending, Task.Delay(Soon)) != _sending;

        public async ValueTask DisposeAsync()
        {
            _client.Abort();
            await _sending;
        }

        private async Task SendAsync(byte[] burst)
        {
            while (await _client.TrySendAsync(burst))
            {
                Interlocked.Increment(ref _bursts);
            }
        }
    }
}
