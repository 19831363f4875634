using System.Globalization;

namespace Broker.Tests.T10_Shared;

/// <summary>Members that have no room, go, come back: what they had not acknowledged goes to others, and nothing is lost.</summary>
public sealed class SharedRedeliveryTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    private string Filter => $"$share/g/{Topic()}";

    [Theory]
    [BothVersions]
    public async Task What_a_clean_member_did_not_acknowledge_goes_to_another_one(ProtocolVersion version)
    {
        var leaving = await SubscriberAsync(version, Filter, 1);
        int[] numbers = [.. Enumerable.Range(1, 90)];
        await PublishAsync(numbers);
        await leaving.ExpectPublishesAsync(numbers.Length);
        var other = await SubscriberAsync(version, Filter, 1);
        leaving.Abort();

        // Given back one by one, some would be sent to the other member before those that go before them.
        Assert.Equal(numbers, (await other.ExpectPublishesAsync(numbers.Length)).Select(static p => int.Parse(p.Text, CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task What_was_acknowledged_stays_acknowledged()
    {
        var leaving = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 1);
        await PublishAsync(1, 2);
        var got = await leaving.ExpectPublishesAsync(2);
        await leaving.AckAsync(PacketType.PubAck, got[0].PacketId);
        await leaving.PingAsync();
        var other = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 1);
        leaving.Abort();

        await other.ExpectPublishAsync(Topic(), "2");
        await other.PingAsync();
        await other.ExpectNothingAsync(TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task A_member_with_a_full_window_is_passed_over()
    {
        var slow = await ConnectAsync(new ConnectOptions { Properties = new() { { Prop.ReceiveMaximum, 1 } } });
        await slow.SubscribeAsync(Filter, 1);
        var quick = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 1);
        await PublishAsync([.. Enumerable.Range(1, 10)]);

        var kept = await slow.ExpectAsync(PacketType.Publish);
        var others = await quick.ExpectPublishesAsync(9);
        Assert.DoesNotContain(kept.Text, others.Select(static p => p.Text));

        await slow.AckAsync(PacketType.PubAck, kept.PacketId);
        await slow.PingAsync();
        await PublishAsync(11, 12);
        await slow.ExpectAsync(PacketType.Publish);
        await quick.ExpectAsync(PacketType.Publish);
    }

    [Fact]
    public async Task What_nobody_has_room_for_waits_for_the_first_who_has()
    {
        var options = new PropertyCollection { { Prop.ReceiveMaximum, 1 } };
        var one = await ConnectAsync(new ConnectOptions { Properties = options });
        await one.SubscribeAsync(Filter, 1);
        var other = await ConnectAsync(new ConnectOptions { Properties = options });
        await other.SubscribeAsync(Filter, 1);
        await PublishAsync(1, 2, 3, 4, 5);

        await one.ExpectPublishAsync(Topic(), "1");
        var open = (await other.ExpectPublishAsync(Topic(), "2")).PacketId;
        for (var next = 3; next <= 5; next++)
        {
            await other.AckAsync(PacketType.PubAck, open);
            open = (await other.ExpectPublishAsync(Topic(), $"{next}")).PacketId;
        }
    }

    [Fact]
    public async Task A_durable_member_that_goes_leaves_its_window_to_the_others()
    {
        var durable = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()));
        await durable.SubscribeAsync(Filter, 1);
        await PublishAsync(1, 2);
        await durable.ExpectPublishesAsync(2);
        var other = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 1);
        durable.Abort();
        Assert.Equal(["1", "2"], (await other.ExpectPublishesAsync(2)).Select(static p => p.Text));
    }

    [Theory]
    [BothVersions]
    public async Task Messages_wait_while_all_members_are_away_for_whoever_comes_first(ProtocolVersion version)
    {
        foreach (var name in (string[])["a", "b"])
        {
            var member = await ConnectAsync(ConnectOptions.Durable(version, Id(name)));
            await member.SubscribeAsync(Filter, 1);
            await member.DisconnectAsync();
        }

        await PublishAsync(1, 2, 3);
        var back = await ConnectAsync(ConnectOptions.Durable(version, Id("b")));
        foreach (var expected in (string[])["1", "2", "3"])
        {
            await back.AckAsync(PacketType.PubAck, (await back.ExpectPublishAsync(Topic(), expected)).PacketId);
        }

        await back.PingAsync();
        var late = await ConnectAsync(ConnectOptions.Durable(version, Id("a")));
        await late.PingAsync();
        await late.ExpectNothingAsync(TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task The_same_member_gets_what_it_had_not_acknowledged_with_DUP_when_it_is_back()
    {
        var member = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt311, Id()));
        await member.SubscribeAsync(Filter, 1);
        await PublishAsync(1);
        Assert.False((await member.ExpectPublishAsync(Topic(), "1")).Dup);
        member.Abort();

        var back = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt311, Id()));
        Assert.True((await back.ExpectPublishAsync(Topic(), "1")).Dup);
    }

    [Fact]
    public async Task A_durable_member_whose_session_ends_leaves_what_waits_to_the_others()
    {
        foreach (var name in (string[])["a", "b"])
        {
            var member = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id(name)));
            await member.SubscribeAsync(Filter, 1);
            await member.DisconnectAsync();
        }

        await PublishAsync(1, 2);
        var ended = await ConnectAsync(new ConnectOptions { ClientId = Id("a") });
        await ended.DisconnectAsync();
        var left = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("b")));
        Assert.Equal(["1", "2"], (await left.ExpectPublishesAsync(2)).Select(static p => p.Text));
    }

    [Fact]
    public async Task Unsubscribing_completes_what_was_sent_and_nothing_else()
    {
        var leaving = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 1);
        await PublishAsync(1);
        var sent = await leaving.ExpectPublishAsync(Topic(), "1");
        var other = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 1);
        await leaving.UnsubscribeAsync(Filter);
        await PublishAsync(2);
        await other.ExpectPublishAsync(Topic(), "2");
        await leaving.AckAsync(PacketType.PubAck, sent.PacketId);
        await leaving.PingAsync();
        leaving.Abort();
        await other.PingAsync();
        await other.ExpectNothingAsync(TimeSpan.FromMilliseconds(100));
    }

    [Theory]
    [InlineData(1, PacketType.PubAck)]
    [InlineData(2, PacketType.PubRec)]
    public async Task A_refused_message_goes_to_nobody_else_MQTT_4_8_2_6(int qos, PacketType answer)
    {
        var refusing = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, qos);
        await PublishQosAsync(qos, 1);
        var got = await refusing.ExpectPublishAsync(Topic(), "1");
        var other = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, qos);
        await refusing.AckAsync(answer, got.PacketId, ReasonCode.QuotaExceeded);
        await refusing.PingAsync();
        refusing.Abort();
        await other.PingAsync();
        await other.ExpectNothingAsync(TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task QoS_2_that_was_sent_stays_with_the_durable_member_that_got_it_MQTT_4_8_2_4()
    {
        var member = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()));
        await member.SubscribeAsync(Filter, 2);
        await PublishQosAsync(2, 1);
        var sent = await member.ExpectPublishAsync(Topic(), "1");
        var other = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 2);
        member.Abort();
        await other.PingAsync();
        await other.ExpectNothingAsync(TimeSpan.FromMilliseconds(100));

        var back = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()));
        var again = await back.ExpectPublishAsync(Topic(), "1");
        Assert.Equal((sent.PacketId, true, 2), (again.PacketId, again.Dup, again.Qos));
        await back.AckAsync(PacketType.PubRec, again.PacketId);
        await back.ExpectAsync(PacketType.PubRel, again.PacketId);
        await back.AckAsync(PacketType.PubComp, again.PacketId);
    }

    [Fact]
    public async Task QoS_2_that_was_sent_to_a_session_that_ends_goes_to_nobody_else_MQTT_4_8_2_5()
    {
        var leaving = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 2);
        await PublishQosAsync(2, 1);
        await leaving.ExpectPublishAsync(Topic(), "1");
        var other = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 2);
        leaving.Abort();
        await other.PingAsync();
        await other.ExpectNothingAsync(TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task QoS_2_goes_to_a_durable_member_rather_than_to_a_clean_one()
    {
        var clean = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 2);
        var durable = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()));
        await durable.SubscribeAsync(Filter, 2);
        await PublishQosAsync(2, 1, 2, 3);
        Assert.Equal(["1", "2", "3"], (await durable.ExpectPublishesAsync(3)).Select(static p => p.Text));
        await durable.DisconnectAsync();
        await PublishQosAsync(2, 4);
        await clean.ExpectPublishAsync(Topic(), "4");
    }

    [Fact]
    public async Task A_message_too_large_for_one_member_goes_to_one_that_can_take_it_MQTT_3_1_2_25()
    {
        var small = await ConnectAsync(new ConnectOptions { Properties = new() { { Prop.MaximumPacketSize, 100 } } });
        await small.SubscribeAsync(Filter, 1);
        var large = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 1);
        var publisher = await ConnectAsync();
        for (var i = 0; i < 3; i++)
        {
            await publisher.PublishAsync(Topic(), new string('x', 200), 1);
        }

        await large.ExpectPublishesAsync(3);
        await small.PingAsync();
        await small.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public async Task A_publisher_is_acknowledged_while_the_durable_member_is_away_and_a_clean_one_does_not_answer()
    {
        var durable = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()));
        await durable.SubscribeAsync(Filter, 1);
        await durable.DisconnectAsync();
        var silent = await SubscriberAsync(ProtocolVersion.Mqtt5, Filter, 1);
        await PublishAsync(1);
        await silent.ExpectPublishAsync(Topic(), "1");
        silent.Abort();

        var back = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id()));
        await back.ExpectPublishAsync(Topic(), "1");
    }

    private Task PublishAsync(params int[] numbers) => PublishQosAsync(1, numbers);

    private async Task PublishQosAsync(int qos, params int[] numbers)
    {
        var publisher = await ConnectAsync();
        foreach (var number in numbers)
        {
            await publisher.PublishAsync(Topic(), $"{number}", qos);
        }
    }
}
