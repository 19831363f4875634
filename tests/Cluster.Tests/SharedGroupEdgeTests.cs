using System.Globalization;

namespace Broker.Cluster.Tests;

/// <summary>The way of a group's message to members on other silos than the group, and back when they do not acknowledge it.</summary>
public sealed class SharedGroupEdgeTests(ITestOutputHelper output, HealthyCluster healthy) : HealthyClusterTest(output, healthy)
{
    [Fact]
    public async Task Each_member_elsewhere_gets_a_message_as_its_own_subscription_says_MQTT_4_8_2_3()
    {
        const string Filter = "$share/own/own/+";
        await using var founder = await FoundAsync(Filter);
        await using var full = await JoinAsync(1, ProtocolVersion.Mqtt5, new Subscription(Filter, 2, RetainAsPublished: true), 5);
        await using var plain = await JoinAsync(1, ProtocolVersion.Mqtt5, new Subscription(Filter, 1), 6);
        await using var once = await JoinAsync(2, ProtocolVersion.Mqtt5, new Subscription(Filter, 0, RetainAsPublished: true), 268_435_455);
        await using var old = await JoinAsync(2, ProtocolVersion.Mqtt311, new Subscription(Filter, 1), null);
        await LeaveAsync(founder, Filter);
        await using var publisher = await ConnectAsync(2, new ConnectOptions());
        for (var qos = 2; qos >= 0; qos--)
        {
            var text = $"published with {qos}";
            for (var member = 0; member < 4; member++)
            {
                await publisher.PublishAsync(RichMessage.Of("own/t", text) with { Qos = qos, Retain = true });
            }

            Check(await NextAsync(full), Math.Min(qos, 2), isRetained: true, 5);
            Check(await NextAsync(plain), Math.Min(qos, 1), isRetained: false, 6);
            Check(await NextAsync(once), 0, isRetained: true, 268_435_455);

            // A property would be a part of its payload.
            var toOld = await NextAsync(old);
            Assert.Equal((text, Math.Min(qos, 1), false), (toOld.Text, toOld.Qos, toOld.Retain));

            void Check(ReceivedPacket message, int expected, bool isRetained, uint identifier)
            {
                RichMessage.Check(message);
                Assert.Equal((text, expected, isRetained), (message.Text, message.Qos, message.Retain));
                Assert.Equal([identifier], message.Properties.All<uint>(Prop.SubscriptionIdentifier));
            }
        }

        await publisher.PublishAsync("own/t", "", 1, retain: true);
    }

    [Fact]
    public async Task What_waits_for_a_member_elsewhere_expires_and_says_how_long_it_still_has_MQTT_3_3_2_5_MQTT_3_3_2_6()
    {
        const string Filter = "$share/late/late/+";
        var durable = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "late-member");
        await using var founder = await FoundAsync(Filter);
        await using (var before = await ConnectAsync(1, durable))
        {
            await before.SubscribeAsync(Filter, 1);
            await before.DisconnectAsync();
        }

        await LeaveAsync(founder, Filter);
        await using var publisher = await ConnectAsync(2, new ConnectOptions());
        await publisher.PublishAsync(Expiring("short", 1));
        await publisher.PublishAsync(Expiring("long", 100));
        await Task.Delay(TimeSpan.FromMilliseconds(1100));

        await using var after = await ConnectAsync(1, durable);
        var message = await after.ExpectPublishAsync("late/t", "long");
        Assert.InRange(message.Properties.Number(Prop.MessageExpiryInterval) ?? 0, 50u, 99u);
        await after.AckAsync(PacketType.PubAck, message.PacketId);
        await LeaveAsync(after, Filter);

        static PublishOptions Expiring(string text, uint seconds) =>
            new("late/t", text) { Qos = 1, Properties = new() { { Prop.MessageExpiryInterval, seconds } } };
    }

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311)]
    [InlineData(ProtocolVersion.Mqtt5)]
    public async Task What_a_member_elsewhere_did_not_acknowledge_goes_to_one_on_a_third_silo_in_order(ProtocolVersion version)
    {
        const int Count = 90;
        var name = $"return{(int)version}";
        var filter = $"$share/{name}/{name}";
        await using var founder = await FoundAsync(filter);
        await using var leaving = await ConnectAsync(1, new ConnectOptions(version));
        await leaving.SubscribeAsync(filter, 1);
        await LeaveAsync(founder, filter);
        await using var publisher = await ConnectAsync(0, new ConnectOptions());
        for (var i = 0; i < Count; i++)
        {
            await publisher.PublishAsync(name, $"{i}", 1);
        }

        var sent = await leaving.ExpectPublishesAsync(Count);
        await leaving.AckAsync(PacketType.PubAck, sent[0].PacketId);
        await leaving.PingAsync();
        await using var other = await JoinAsync(2, ProtocolVersion.Mqtt5, new Subscription(filter, 1), null);
        leaving.Abort();

        var got = await other.ExpectPublishesAsync(Count - 1);
        Assert.Equal(Enumerable.Range(1, Count - 1), got.Select(static p => int.Parse(p.Text, CultureInfo.InvariantCulture)));
        Assert.All(got, static p => Assert.True(p.Dup));
        await publisher.PublishAsync(name, "after", 1);
        await other.ExpectPublishAsync(name, "after");
    }

    [Fact]
    public async Task QoS_2_that_was_sent_stays_with_its_durable_member_which_completes_it_through_a_third_silo_MQTT_4_8_2_4()
    {
        const string Filter = "$share/stays/stays";
        var durable = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "stays-member");
        await using var founder = await FoundAsync(Filter);
        await using var member = await ConnectAsync(1, durable);
        await member.SubscribeAsync(Filter, 2);
        await LeaveAsync(founder, Filter);
        await using var publisher = await ConnectAsync(0, new ConnectOptions());
        await publisher.PublishAsync("stays", "1", 2);
        var sent = await member.ExpectPublishAsync("stays", "1");
        await using var other = await JoinAsync(2, ProtocolVersion.Mqtt5, new Subscription(Filter, 2), null);
        member.Abort();
        await other.PingAsync();
        await other.ExpectNothingAsync();

        await using var back = await ConnectAsync(2, durable);
        var again = await back.ExpectPublishAsync("stays", "1");
        Assert.Equal((sent.PacketId, true, 2), (again.PacketId, again.Dup, again.Qos));
        await back.AckAsync(PacketType.PubRec, again.PacketId);
        await back.ExpectAsync(PacketType.PubRel, again.PacketId);
        await back.AckAsync(PacketType.PubComp, again.PacketId);
        await LeaveAsync(back, Filter);
    }

    /// <summary>The first member, on silo 0, which so has the group.</summary>
    private async Task<ScriptedClient> FoundAsync(string filter)
    {
        var founder = await JoinAsync(0, ProtocolVersion.Mqtt5, new Subscription(filter, 1), null);
        Assert.Equal(0, await GroupPlace.OfAsync(Cluster, filter));
        return founder;
    }

    private async Task<ScriptedClient> JoinAsync(int silo, ProtocolVersion version, Subscription subscription, uint? identifier)
    {
        var member = await ConnectAsync(silo, new ConnectOptions(version) { AcknowledgesByItself = true });
        var properties = new PropertyCollection();
        if (identifier is { } number)
        {
            properties.Add(Prop.SubscriptionIdentifier, number);
        }

        Assert.Equal([(ReasonCode)subscription.Qos], (await member.SubscribeAsync(subscription, properties)).Reasons);
        return member;
    }

    private static async Task LeaveAsync(ScriptedClient member, string filter) =>
        Assert.Equal([ReasonCode.Success], (await member.UnsubscribeAsync(filter)).Reasons);

    /// <summary>The next message; PUBREL of an earlier one may come before it.</summary>
    private static Task<ReceivedPacket> NextAsync(ScriptedClient member) =>
        member.PickAsync(static p => p.Type == PacketType.Publish, "a message");

    private Task<ScriptedClient> ConnectAsync(int silo, ConnectOptions options) =>
        ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt, options);
}
