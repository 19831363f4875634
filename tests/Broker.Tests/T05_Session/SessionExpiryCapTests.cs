using System.Diagnostics;

namespace Broker.Tests.T05_Session;

/// <summary>Session Expiry Intervals above <c>Session:MaxSessionExpiry</c> (MQTT 5.0 section 3.2.2.3.2).</summary>
public sealed class SessionExpiryCapTests() : OwnBrokerTest(("Session:MaxSessionExpiry", "2s"))
{
    // 2 s, and what a loaded machine takes to see to it; far less than what the clients ask for.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [OwnTheory]
    [InlineData(3600u)]
    [InlineData(uint.MaxValue)]
    public async Task Longer_interval_is_cut_told_in_connack_and_kept(uint wanted)
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id(), wanted);
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 1);
        Assert.Equal(2u, client.ConnAck.Properties.Number(Prop.SessionExpiryInterval));

        var clock = Stopwatch.StartNew();
        await client.DisconnectAsync();
        await EndsAsync();

        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(2), Limit);
        Assert.False((await ConnectAsync(options)).ConnAck.SessionPresent);
    }

    [OwnFact]
    public async Task Disconnect_with_a_longer_interval_gets_no_more_than_that()
    {
        var client = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id(), expirySeconds: 1));
        await client.SubscribeAsync(Topic(), 1);

        var clock = Stopwatch.StartNew();
        await client.DisconnectAsync(properties: new() { { Prop.SessionExpiryInterval, 3600 } });
        await EndsAsync();

        // Not the 1 s of CONNECT either.
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(2), Limit);
    }

    [OwnTheory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(2u)]
    public async Task Interval_within_the_limit_is_granted_without_a_word(uint wanted)
    {
        var client = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id(), wanted));

        Assert.False(client.ConnAck.Properties.Has(Prop.SessionExpiryInterval));
    }

    private async Task EndsAsync()
    {
        var publisher = await ConnectAsync();
        await Eventually.TrueAsync(
            async () => (await publisher.PublishAsync(Topic(), "probe", 1))!.Reason == ReasonCode.NoMatchingSubscribers,
            Limit,
            () => "the subscription of the expired session still matches");
    }
}
