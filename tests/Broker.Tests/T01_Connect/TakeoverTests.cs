namespace Broker.Tests.T01_Connect;

public sealed class TakeoverTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Theory, EveryVersion]
    public async Task Second_connect_with_the_same_client_id_ends_the_first_with_0x8E_MQTT_3_1_4_3(ProtocolVersion version)
    {
        var options = new ConnectOptions(version) { ClientId = Id() };
        var first = await ConnectAsync(options);

        var second = await ConnectAsync(options);

        await first.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        await second.PingAsync();
    }

    // [MQTT-3.1.3-2]
    [Theory, BothVersions]
    public async Task Takeover_with_a_durable_session_keeps_subscriptions_and_messages(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var first = await ConnectAsync(options);
        await first.SubscribeAsync(Topic(), 1);
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "unacknowledged", 1);
        var sent = await first.ExpectPublishAsync(Topic(), "unacknowledged");

        var second = await ConnectAsync(options);

        Assert.True(second.ConnAck.SessionPresent);
        var again = await second.ExpectPublishAsync(Topic(), "unacknowledged");
        Assert.True(again.Dup);
        Assert.Equal(sent.PacketId, again.PacketId);
        await first.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
    }

    [Fact]
    public async Task Takeover_across_versions_keeps_the_session()
    {
        var first = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt311, Id()));
        await first.SubscribeAsync(Topic(), 2);

        var second = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()));

        await first.ExpectCloseAsync();
        Assert.True(second.ConnAck.SessionPresent);
        await second.SendPublishAsync(Topic(), "still subscribed");
        await second.ExpectPublishAsync(Topic(), "still subscribed");
    }

    [Fact]
    public async Task Many_connects_at_once_leave_exactly_one_connection()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var clients = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AttemptAsync(options)));

        var open = () => clients.Count(client => !client.IsClosed);
        await Eventually.TrueAsync(() => open() == 1, ScriptedClient.Patience, () => $"{open()} of 20 connections are open");

        await clients.Single(client => !client.IsClosed).PingAsync();
    }
}
