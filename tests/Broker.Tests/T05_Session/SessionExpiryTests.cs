namespace Broker.Tests.T05_Session;

public sealed class SessionExpiryTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    // [MQTT-4.1.0-2]
    [Fact]
    public async Task Session_ends_after_its_expiry_interval_and_not_before_MQTT_3_1_2_23()
    {
        var shortLived = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("short"), expirySeconds: 1);
        var longLived = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("long"), expirySeconds: 60);
        foreach (var options in (ConnectOptions[])[shortLived, longLived])
        {
            var client = await ConnectAsync(options);
            await client.SubscribeAsync(Topic(), 1);
            await client.DisconnectAsync();
        }

        var publisher = await ConnectAsync();
        await publisher.ExpectNothingAsync(TimeSpan.FromSeconds(2.5));

        Assert.False((await ConnectAsync(shortLived)).ConnAck.SessionPresent);
        Assert.True((await ConnectAsync(longLived)).ConnAck.SessionPresent);
    }

    [Fact]
    public async Task Session_without_expiry_interval_ends_with_the_connection()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id(), expirySeconds: 0);
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic(), 1);
        before.Abort();
        var publisher = await ConnectAsync();
        await EndedAsync(publisher);

        Assert.False((await ConnectAsync(options)).ConnAck.SessionPresent);

        async Task EndedAsync(ScriptedClient client) => await Eventually.TrueAsync(
            async () => (await client.PublishAsync(Topic(), "probe", 1))!.Reason == ReasonCode.NoMatchingSubscribers,
            ScriptedClient.Patience,
            () => "the subscription of the ended session is still there");
    }

    [Fact]
    public async Task Disconnect_can_change_the_expiry_interval()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id(), expirySeconds: 3600);
        var first = await ConnectAsync(options);
        await first.DisconnectAsync(properties: new() { { Prop.SessionExpiryInterval, 0 } });

        var second = await ConnectAsync(options with { Properties = new() { { Prop.SessionExpiryInterval, 1 } } });
        Assert.False(second.ConnAck.SessionPresent);
        await second.DisconnectAsync(properties: new() { { Prop.SessionExpiryInterval, 3600 } });

        var publisher = await ConnectAsync();
        await publisher.ExpectNothingAsync(TimeSpan.FromSeconds(2));
        Assert.True((await ConnectAsync(options)).ConnAck.SessionPresent);
    }

    [Fact]
    public async Task Disconnect_cannot_give_an_expiry_where_connect_gave_none()
    {
        var client = await ConnectAsync();

        await client.SendAsync(Packets.Disconnect(
            client.Version, properties: new() { { Prop.SessionExpiryInterval, 60 } }));

        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [Fact]
    public async Task Expiry_interval_of_the_latest_connect_counts()
    {
        var longLived = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id(), expirySeconds: 3600);
        var shortLived = longLived with { Properties = new() { { Prop.SessionExpiryInterval, 1 } } };
        await (await ConnectAsync(longLived)).DisconnectAsync();
        await (await ConnectAsync(shortLived)).DisconnectAsync();

        var publisher = await ConnectAsync();
        await publisher.ExpectNothingAsync(TimeSpan.FromSeconds(2.5));

        Assert.False((await ConnectAsync(longLived)).ConnAck.SessionPresent);
    }

    [Fact]
    public async Task Expired_session_takes_its_subscriptions_with_it()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id(), expirySeconds: 1);
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 1);
        await client.DisconnectAsync();
        var publisher = await ConnectAsync();
        Assert.Equal(ReasonCode.Success, (await publisher.PublishAsync(Topic(), "waits", 1))!.Reason);

        await Eventually.TrueAsync(
            async () => (await publisher.PublishAsync(Topic(), "probe", 1))!.Reason == ReasonCode.NoMatchingSubscribers,
            ScriptedClient.Patience,
            () => "the subscription of the expired session still matches");
    }
}
