namespace Broker.Tests.T14_Durability;

/// <summary>One kind of state at a time over kill -9.</summary>
public sealed class SurvivalTests() : OwnBrokerTest
{
    [OwnTheory, BothVersions]
    public async Task Queued_message_survives_once_it_is_acknowledged(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 2);
        await client.DisconnectAsync();
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "one", 1);
        await publisher.PublishAsync(Topic(), "two", 2);
        await publisher.SendPublishAsync(Topic(), "three", 2, id: 100);
        await publisher.ExpectAsync(PacketType.PubRec, 100);

        await Server.RestartAsync();

        client = await ConnectAsync(options);
        Assert.True(client.ConnAck.SessionPresent);
        await client.ExpectPublishAsync(Topic(), "one");
        await client.ExpectPublishAsync(Topic(), "two");
        await client.ExpectPublishAsync(Topic(), "three");
    }

    [OwnTheory, BothVersions]
    public async Task Message_in_flight_to_a_connected_client_survives(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 2);
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "in flight", 2);
        var first = await client.ExpectPublishAsync(Topic(), "in flight");

        await Server.RestartAsync();

        client = await ConnectAsync(options);
        var again = await client.ExpectPublishAsync(Topic(), "in flight");
        Assert.Equal(2, again.Qos);
        Assert.Equal(first.PacketId, again.PacketId);
        Assert.True(again.Dup);
    }

    [OwnTheory, BothVersions]
    public async Task Pubrel_phase_of_what_the_broker_sends_survives_MQTT_4_3_3_5(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 2);
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "received", 2);
        var message = await client.ExpectPublishAsync(Topic(), "received");
        await client.AckAsync(PacketType.PubRec, message.PacketId);
        await client.ExpectAsync(PacketType.PubRel, message.PacketId);

        await Server.RestartAsync();

        client = await ConnectAsync(options);
        await client.ExpectAsync(PacketType.PubRel, message.PacketId);
        await client.AckAsync(PacketType.PubComp, message.PacketId);
        await client.PingAsync();
        await client.ExpectNothingAsync();
    }

    [OwnTheory, BothVersions]
    public async Task Packet_id_that_waits_for_pubrel_survives_so_a_repeated_publish_is_not_routed(ProtocolVersion version)
    {
        await SubscriberAsync(version, Topic(), 2);
        var options = ConnectOptions.Durable(version, Id("publisher"));
        var publisher = await ConnectAsync(options);
        var message = new PublishOptions(Topic(), "once") { Qos = 2, PacketId = 33 };
        await publisher.SendPublishAsync(message);
        await publisher.ExpectAsync(PacketType.PubRec, 33);

        await Server.RestartAsync();

        // A subscriber of its own, so that nothing else can bring the message again.
        var subscriber = await SubscriberAsync(version, Topic(), 1);
        publisher = await ConnectAsync(options);
        Assert.True(publisher.ConnAck.SessionPresent);
        await publisher.SendPublishAsync(message with { Dup = true });
        await publisher.ExpectAsync(PacketType.PubRec, 33);
        await publisher.AckAsync(PacketType.PubRel, 33);
        await publisher.ExpectAsync(PacketType.PubComp, 33);
        await publisher.PublishAsync(Topic(), "end", 1);
        await subscriber.ExpectPublishAsync(Topic(), "end");
    }

    [OwnFact]
    public async Task Subscription_with_all_its_options_survives_its_suback()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(
            new Subscription(Topic("#"), 1, NoLocal: true, RetainAsPublished: true),
            new() { { Prop.SubscriptionIdentifier, 77 } });

        await Server.RestartAsync();

        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic(), "before the return", 1, retain: true);
        client = await ConnectAsync(options);
        var message = await client.ExpectPublishAsync(Topic(), "before the return");
        Assert.True(message.Retain);
        Assert.Equal(77u, message.Properties.Number(Prop.SubscriptionIdentifier));
        await client.PublishAsync(Topic(), "own", 1);
        await publisher.PublishAsync(Topic(), "foreign", 1);
        await client.ExpectPublishAsync(Topic(), "foreign");
    }

    [OwnFact]
    public async Task Unsubscribe_survives_its_unsuback()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 1);
        await client.UnsubscribeAsync(Topic());

        await Server.RestartAsync();

        var publisher = await ConnectAsync();
        var answer = await publisher.PublishAsync(Topic(), "nobody wants it", 1);
        Assert.Equal(ReasonCode.NoMatchingSubscribers, answer!.Reason);
    }

    [OwnFact]
    public async Task Retained_messages_survive_and_cleared_ones_stay_cleared()
    {
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic("stays"), "old", 1, retain: true);
        await publisher.PublishAsync(new PublishOptions(Topic("stays"), "new")
        {
            Qos = 2, Retain = true, Properties = new() { { Prop.UserProperty, "a", "b" } },
        });
        await publisher.PublishAsync(Topic("goes"), "gone", 1, retain: true);
        await publisher.PublishAsync(Topic("goes"), "", 1, retain: true);

        await Server.RestartAsync();

        var client = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic("#"), 2);
        var message = await client.ExpectPublishAsync(Topic("stays"), "new");
        Assert.True(message.Retain);
        Assert.Equal([("a", "b")], message.Properties.User);
        await client.SendPublishAsync(Topic("end"), "end");
        await client.ExpectPublishAsync(Topic("end"), "end");
    }

    [OwnFact]
    public async Task Clean_start_before_the_kill_is_not_undone()
    {
        var durable = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var client = await ConnectAsync(durable);
        await client.SubscribeAsync(Topic(), 1);
        await client.DisconnectAsync();
        await (await ConnectAsync(new ConnectOptions { ClientId = Id() })).DisconnectAsync();

        await Server.RestartAsync();

        Assert.False((await ConnectAsync(durable)).ConnAck.SessionPresent);
    }
}
