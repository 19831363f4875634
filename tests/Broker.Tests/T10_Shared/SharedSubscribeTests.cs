namespace Broker.Tests.T10_Shared;

/// <summary>Which shared subscriptions are accepted, and what else a subscription is for their members.</summary>
public sealed class SharedSubscribeTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Fact]
    public async Task CONNACK_does_not_deny_shared_subscriptions()
    {
        var client = await AttemptAsync(new ConnectOptions());
        var connack = await client.ExpectAsync(PacketType.ConnAck);
        Assert.NotEqual(0u, connack.Properties.Number(Prop.SharedSubscriptionAvailable) ?? 1);
    }

    [Theory]
    [InlineData("$share/g")]
    [InlineData("$share/g/")]
    [InlineData("$share//a")]
    [InlineData("$share/")]
    [InlineData("$share/+/a")]
    [InlineData("$queue/")]
    [InlineData("$share/g/$share/h/a")]
    public async Task A_filter_without_a_proper_name_or_topic_is_refused_MQTT_4_8_2_1_MQTT_4_8_2_2(string filter)
    {
        var five = await ConnectAsync();
        Assert.Equal([ReasonCode.TopicFilterInvalid], (await five.SubscribeAsync(filter, 1)).Reasons);

        var three = await ConnectAsync(ProtocolVersion.Mqtt311);
        Assert.Equal([(ReasonCode)0x80], (await three.SubscribeAsync(filter, 1)).Reasons);
    }

    [Theory]
    [InlineData("$share/g+/a")]
    [InlineData("$share/#/a")]
    [InlineData("$share/g/a#")]
    public async Task A_malformed_filter_ends_the_connection(string filter)
    {
        var client = await ConnectAsync();
        await client.SendAsync(Packets.Subscribe(client.Version, 1, [new Subscription(filter)], null));
        await client.ExpectDisconnectAsync(ReasonCode.TopicFilterInvalid);
    }

    [Theory]
    [InlineData("$share/g/a")]
    [InlineData("$queue/a")]
    public async Task No_Local_is_a_protocol_error_MQTT_3_8_3_4(string filter)
    {
        var client = await ConnectAsync();
        await client.SendAsync(Packets.Subscribe(client.Version, 1, [new Subscription(filter, 1, NoLocal: true)], null));
        await client.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    [Theory]
    [InlineData("$share/g/a")]
    [InlineData("$queue/a")]
    public async Task A_client_id_that_names_a_group_is_refused(string id)
    {
        var client = await AttemptAsync(new ConnectOptions { ClientId = id });
        Assert.Equal(ReasonCode.ClientIdentifierNotValid, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
    }

    [Theory]
    [EveryQos]
    public async Task A_message_goes_to_one_member_in_turn(ProtocolVersion version, int qos)
    {
        var filter = $"$share/g/{Topic("+")}";
        var members = new[] { await MemberAsync(version, filter, qos), await MemberAsync(version, filter, qos), await MemberAsync(version, filter, qos) };
        var publisher = await ConnectAsync(version);
        for (var i = 0; i < 6; i++)
        {
            await publisher.PublishAsync(Topic(), $"{i}", qos);
        }

        var got = new List<string>();
        foreach (var member in members)
        {
            got.AddRange((await member.ExpectPublishesAsync(2)).Select(static p => p.Text));
        }

        Assert.Equal(["0", "1", "2", "3", "4", "5"], got.Order());
        foreach (var member in members)
        {
            await member.PingAsync();
            await member.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));
        }
    }

    [Theory]
    [BothVersions]
    public async Task Queue_is_a_group_too(ProtocolVersion version)
    {
        var filter = $"$queue/{Topic("#")}";
        var one = await MemberAsync(version, filter, 1);
        var other = await MemberAsync(version, filter, 1);
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "1", 1);
        await publisher.PublishAsync(Topic(), "2", 1);
        Assert.NotEqual((await one.ExpectAsync(PacketType.Publish)).Text, (await other.ExpectAsync(PacketType.Publish)).Text);
    }

    [Fact]
    public async Task Groups_are_independent_of_each_other_and_of_plain_subscriptions()
    {
        var both = await ConnectAsync();
        await both.SubscribeAsync(
            [new Subscription(Topic("+"), 1), new Subscription($"$share/g/{Topic("+")}", 1), new Subscription($"$share/h/{Topic()}", 1)],
            new PropertyCollection { { Prop.SubscriptionIdentifier, 7 } });
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic(), "x", 1);

        var copies = await both.ExpectPublishesAsync(3);
        Assert.All(copies, static copy => Assert.Equal(7u, copy.Properties.Number(Prop.SubscriptionIdentifier)));
        await both.PingAsync();
        await both.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public async Task Each_member_gets_its_own_QoS_identifier_and_retain_flag_MQTT_4_8_2_3()
    {
        var filter = $"$share/g/{Topic()}";
        var low = await ConnectAsync();
        await low.SubscribeAsync(new Subscription(filter, 0), new PropertyCollection { { Prop.SubscriptionIdentifier, 1 } });
        var high = await ConnectAsync();
        await high.SubscribeAsync(new Subscription(filter, 2, RetainAsPublished: true), new PropertyCollection { { Prop.SubscriptionIdentifier, 2 } });
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic(), "1", 2, retain: true);
        await publisher.PublishAsync(Topic(), "2", 2, retain: true);

        var toLow = await low.ExpectAsync(PacketType.Publish);
        var toHigh = await high.ExpectAsync(PacketType.Publish);
        Assert.Equal((0, false, 1u), (toLow.Qos, toLow.Retain, toLow.Properties.Number(Prop.SubscriptionIdentifier)));
        Assert.Equal((2, true, 2u), (toHigh.Qos, toHigh.Retain, toHigh.Properties.Number(Prop.SubscriptionIdentifier)));
        await publisher.PublishAsync(Topic(), "", 1, retain: true);
    }

    [Fact]
    public async Task Retained_messages_are_not_sent_to_shared_subscriptions()
    {
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic(), "kept", 1, retain: true);
        var client = await SubscriberAsync(ProtocolVersion.Mqtt5, $"$share/g/{Topic()}", 1);
        await client.PingAsync();
        await client.ExpectNothingAsync(TimeSpan.FromMilliseconds(100));
        await publisher.PublishAsync(Topic(), "", 1, retain: true);
    }

    [Fact]
    public async Task Unsubscribing_names_the_whole_filter()
    {
        var filter = $"$share/g/{Topic()}";
        var member = await SubscriberAsync(ProtocolVersion.Mqtt5, filter, 1);
        Assert.Equal([ReasonCode.NoSubscriptionExisted], (await member.UnsubscribeAsync(Topic())).Reasons);
        Assert.Equal([ReasonCode.Success], (await member.UnsubscribeAsync(filter)).Reasons);
        Assert.Equal([ReasonCode.NoSubscriptionExisted], (await member.UnsubscribeAsync(filter)).Reasons);

        var publisher = await ConnectAsync();
        Assert.Equal(ReasonCode.NoMatchingSubscribers, (await publisher.PublishAsync(Topic(), "x", 1))!.Reason);
        await member.PingAsync();
        await member.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public async Task A_filter_that_begins_with_a_wildcard_does_not_match_names_of_the_broker_MQTT_4_7_2_1()
    {
        var member = await SubscriberAsync(ProtocolVersion.Mqtt5, "$share/g/+/shared-test", 1);
        var publisher = await ConnectAsync();
        await publisher.PublishAsync("a/shared-test", "x", 1);
        await member.ExpectPublishAsync("a/shared-test", "x");
    }

    private async Task<ScriptedClient> MemberAsync(ProtocolVersion version, string filter, int qos)
    {
        var client = await ConnectAsync(new ConnectOptions(version));
        Assert.Equal([(ReasonCode)qos], (await client.SubscribeAsync(filter, qos)).Reasons);
        return client;
    }
}
