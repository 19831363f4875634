namespace Broker.Tests.T02_Subscribe;

public sealed class SubscriptionOptionsTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Fact]
    public async Task No_local_keeps_own_messages_away_MQTT_3_8_3_3()
    {
        var client = await ConnectAsync();
        var other = await ConnectAsync();
        await client.SubscribeAsync(new Subscription(Topic(), 1, NoLocal: true));

        await client.PublishAsync(Topic(), "own", 1);
        await other.PublishAsync(Topic(), "foreign", 1);

        await client.ExpectPublishAsync(Topic(), "foreign");
    }

    [Fact]
    public async Task No_local_goes_by_client_id_also_after_a_reconnect()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(new Subscription(Topic(), 1, NoLocal: true));
        await before.DisconnectAsync();

        var after = await ConnectAsync(options);
        await after.PublishAsync(Topic(), "own", 1);
        var other = await ConnectAsync();
        await other.PublishAsync(Topic(), "foreign", 1);

        await after.ExpectPublishAsync(Topic(), "foreign");
    }

    // [MQTT-3.8.3-3]
    [Fact]
    public async Task No_local_holds_for_retained_messages_and_the_will_too()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var before = await ConnectAsync(options with { Will = new Will(Topic("will"), "own") });
        await before.PublishAsync(Topic("kept"), "own", 1, retain: true);
        await before.SubscribeAsync(new Subscription(Topic("will"), 1, NoLocal: true));
        var other = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic("#"), 1);
        await other.ExpectPublishAsync(Topic("kept"), "own");

        before.Abort();
        await other.ExpectPublishAsync(Topic("will"), "own");
        var after = await ConnectAsync(options);
        await after.SubscribeAsync(new Subscription(Topic("kept"), 1, NoLocal: true));
        await other.PublishAsync(Topic("will"), "foreign", 1);

        await after.ExpectPublishAsync(Topic("will"), "foreign");
        await other.PublishAsync(Topic("kept"), "", 1, retain: true);
    }

    // [MQTT-3.3.1-13]
    [Fact]
    public async Task Retain_as_published_keeps_the_flag_and_without_it_is_cleared_MQTT_3_3_1_12()
    {
        var keeps = await ConnectAsync();
        var clears = await ConnectAsync();
        await keeps.SubscribeAsync(new Subscription(Topic(), RetainAsPublished: true));
        await clears.SubscribeAsync(new Subscription(Topic()));
        var publisher = await ConnectAsync();

        await publisher.SendPublishAsync(Topic(), "retained", retain: true);

        Assert.True((await keeps.ExpectPublishAsync(Topic(), "retained")).Retain);
        Assert.False((await clears.ExpectPublishAsync(Topic(), "retained")).Retain);
        await publisher.SendPublishAsync(Topic(), "", retain: true);
    }

    // [MQTT-3.3.1-10] [MQTT-3.3.1-11]
    [Theory]
    [InlineData(0, true, true)]
    [InlineData(1, true, false)]
    [InlineData(2, false, false)]
    public async Task Retain_handling_decides_about_retained_messages_MQTT_3_3_1_9(int handling, bool first, bool again)
    {
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic(), "kept", 1, retain: true);
        var client = await ConnectAsync();

        foreach (var expected in (bool[])[first, again])
        {
            await client.SubscribeAsync(new Subscription(Topic(), RetainHandling: handling));
            await publisher.PublishAsync(Topic(), "marker", 1);
            if (expected)
            {
                Assert.True((await client.ExpectPublishAsync(Topic(), "kept")).Retain);
            }

            await client.ExpectPublishAsync(Topic(), "marker");
        }

        await publisher.PublishAsync(Topic(), "", 1, retain: true);
    }

    [Theory, EveryVersion]
    public async Task Subscribing_again_replaces_the_options_MQTT_3_8_4_3(ProtocolVersion version)
    {
        var client = await SubscriberAsync(version, Topic(), 2);

        var granted = await client.SubscribeAsync(Topic(), 0);
        await client.SendPublishAsync(Topic(), "downgraded", 1);

        Assert.Equal(ReasonCode.Success, granted.Reasons[0]);
        var message = await client.PickAsync(packet => packet.Type == PacketType.Publish, "PUBLISH");
        Assert.Equal(0, message.Qos);
    }

    // [MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-4]
    [Fact]
    public async Task Overlapping_subscriptions_give_one_copy_with_the_highest_qos_and_all_identifiers()
    {
        var client = await ConnectAsync();
        await client.SubscribeAsync(new Subscription(Topic("a/#"), 0), new() { { Prop.SubscriptionIdentifier, 7 } });
        await client.SubscribeAsync(new Subscription(Topic("a/+"), 2), new() { { Prop.SubscriptionIdentifier, 268_435_455 } });
        await client.SubscribeAsync(new Subscription(Topic("a/b"), 1));
        var publisher = await ConnectAsync();

        await publisher.PublishAsync(Topic("a/b"), "once", 2);
        await publisher.PublishAsync(Topic("a/b"), "end", 2);

        var message = await client.ExpectPublishAsync(Topic("a/b"), "once");
        Assert.Equal(2, message.Qos);
        Assert.Equal([7u, 268_435_455u], message.Properties.All<uint>(Prop.SubscriptionIdentifier).Order());
        await client.ExpectPublishAsync(Topic("a/b"), "end");
    }

    // [MQTT-3.3.4-2]
    [Theory, EveryVersion]
    public async Task Overlapping_subscriptions_give_one_copy_in_every_version(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);
        await client.SubscribeAsync([new Subscription(Topic("#")), new Subscription(Topic("+"), 1), new Subscription(Topic())]);
        var publisher = await ConnectAsync(version);

        await publisher.PublishAsync(Topic(), "once", 2);
        await publisher.PublishAsync(Topic(), "end", 2);

        Assert.Equal(1, (await client.ExpectPublishAsync(Topic(), "once")).Qos);
        await client.ExpectPublishAsync(Topic(), "end");
    }

    [Fact]
    public async Task Subscription_identifier_is_forgotten_when_subscribing_without_one()
    {
        var client = await ConnectAsync();
        await client.SubscribeAsync(new Subscription(Topic()), new() { { Prop.SubscriptionIdentifier, 1 } });

        await client.SubscribeAsync(new Subscription(Topic()));
        await client.SendPublishAsync(Topic(), "plain");

        Assert.False((await client.ExpectPublishAsync(Topic(), "plain")).Properties.Has(Prop.SubscriptionIdentifier));
    }

    [Fact]
    public async Task Subscription_identifier_outlives_the_connection()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(new Subscription(Topic(), 1), new() { { Prop.SubscriptionIdentifier, 42 } });
        await before.DisconnectAsync();
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic(), "waiting", 1);

        var after = await ConnectAsync(options);

        var message = await after.ExpectPublishAsync(Topic(), "waiting");
        Assert.Equal(42u, message.Properties.Number(Prop.SubscriptionIdentifier));
    }
}
