using System.Diagnostics;
using Broker.TestKit.Checks;

namespace Broker.Tests.T18_Operations;

/// <summary>Messages that are published later (FEATURES 2.7).</summary>
public sealed class DelayedPublishTests() : OwnBrokerTest(("Delayed:MaxMessages", "20"), ("Delayed:MaxBytes", "2KiB"))
{
    private static readonly HttpClient Http = new();

    // Of what comes some seconds later, on a busy machine.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [OwnTheory, BothVersions]
    public async Task Message_arrives_after_its_delay_on_its_own_topic(ProtocolVersion version)
    {
        var subscriber = await SubscriberAsync(version, "t/#", 2);
        subscriber.AcknowledgesByItself = true;
        var publisher = await ConnectAsync(version);
        var clock = Stopwatch.StartNew();

        for (var qos = 0; qos < 3; qos++)
        {
            await publisher.PublishAsync($"$delayed/{2 + qos}/t/later/{qos}", "later", qos);
        }

        await publisher.PublishAsync("$delayed/0/t/now", "now", 1);

        await NextAsync(subscriber, "t/now", "now");
        for (var qos = 0; qos < 3; qos++)
        {
            Assert.Equal(qos, (await NextAsync(subscriber, $"t/later/{qos}", "later")).Qos);
            Assert.True(clock.Elapsed > TimeSpan.FromSeconds(1.9 + qos));
        }

        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(3.9), Limit);
        await Eventually.TrueAsync(async () => await WaitingAsync() == 0, Limit, () => "nothing waits");
    }

    [OwnFact]
    public async Task Acknowledged_delayed_messages_survive_kill_9_and_come_once_in_the_order_in_which_they_are_due()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "away");
        var subscriber = await ConnectAsync(options);
        await subscriber.SubscribeAsync("t", 2);
        await subscriber.DisconnectAsync();
        var publisher = await ConnectAsync();
        await publisher.PublishAsync("$delayed/3/t", "third", 2);
        await publisher.PublishAsync("$delayed/1/t", "first", 1);
        await publisher.PublishAsync("$delayed/2/t", "second", 2);

        await Server.RestartAsync();
        var back = await ConnectAsync(options with { AcknowledgesByItself = true });
        foreach (var expected in (string[])["first", "second", "third"])
        {
            await NextAsync(back, "t", expected);
        }

        await Eventually.TrueAsync(async () => await WaitingAsync() == 0, Limit, () => "nothing waits");
        await Server.RestartAsync();
        back = await ConnectAsync(options with { AcknowledgesByItself = true });
        var last = await ConnectAsync();

        // What was to come again would be due before this.
        await last.PublishAsync("$delayed/1/t", "end", 1);
        await NextAsync(back, "t", "end");
    }

    [OwnFact]
    public async Task Repeated_QoS_2_publish_is_delayed_once()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, "t", 2);
        subscriber.AcknowledgesByItself = true;
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "publisher");
        var publisher = await ConnectAsync(options);
        await publisher.SendPublishAsync("$delayed/2/t", "once", 2, id: 7);
        await publisher.PickAsync(PacketType.PubRec, 7);
        publisher.Abort();

        var again = await ConnectAsync(options);
        await again.SendPublishAsync(new PublishOptions("$delayed/2/t", "once") { Qos = 2, PacketId = 7, Dup = true });
        Assert.Equal(ReasonCode.Success, (await again.PickAsync(PacketType.PubRec, 7)).Reason);
        Assert.Equal(1, await WaitingAsync());
        await again.PublishAsync("$delayed/3/t", "end", 1);

        await NextAsync(subscriber, "t", "once");
        await NextAsync(subscriber, "t", "end");
    }

    [OwnFact]
    public async Task Everything_that_a_message_carries_is_kept_and_its_expiry_counts_from_its_acceptance()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, "t/#", 2);
        subscriber.AcknowledgesByItself = true;
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(new PublishOptions("$delayed/2/t/short", "gone") { Qos = 1, Properties = new() { { Prop.MessageExpiryInterval, 1 } } });
        await publisher.PublishAsync(new PublishOptions("$delayed/2/t/long", "kept")
        {
            Qos = 1,
            Properties = new()
            {
                { Prop.MessageExpiryInterval, 60 },
                { Prop.ContentType, "text/plain" },
                { Prop.ResponseTopic, "r" },
                { Prop.CorrelationData, [1, 2] },
                { Prop.UserProperty, "a", "1" },
                { Prop.UserProperty, "a", "2" },
            },
        });

        var message = await NextAsync(subscriber, "t/long", "kept");
        Assert.InRange(message.Properties.Number(Prop.MessageExpiryInterval)!.Value, 60 - (uint)Limit.TotalSeconds, 58u);
        Assert.Equal("text/plain", message.Properties.Text(Prop.ContentType));
        Assert.Equal("r", message.Properties.Text(Prop.ResponseTopic));
        Assert.Equal([1, 2], message.Properties.Bytes(Prop.CorrelationData));
        Assert.Equal([("a", "1"), ("a", "2")], message.Properties.User);
        using var http = new AdminClient(((BrokerProcess)Server).Http);
        Assert.Equal(1, (await http.GetAsync("/api/v1/drops?topic=t/short&reason=Expired")).GetProperty("drops")[0].GetProperty("count").GetInt32());
    }

    [OwnFact]
    public async Task Retained_message_takes_the_place_of_one_that_was_set_while_it_waited()
    {
        var publisher = await ConnectAsync();
        foreach (var qos in (int[])[0, 1])
        {
            await publisher.PublishAsync($"$delayed/1/r/{qos}", "later", qos, retain: true);
            await publisher.PublishAsync($"r/{qos}", "first", 1, retain: true);
            await IsRetainedAsync(qos);
        }

        // Seen is not yet committed: then the row is still there, and the message is published again.
        await Server.RestartAsync();
        await IsRetainedAsync(0);
        await IsRetainedAsync(1);

        Task IsRetainedAsync(int qos) => Eventually.TrueAsync(
            async () =>
            {
                var message = await (await SubscriberAsync(ProtocolVersion.Mqtt5, $"r/{qos}")).ExpectAsync(PacketType.Publish);
                Assert.True(message.Retain);
                return message.Text == "later";
            },
            Limit,
            () => "the delayed message is retained");
    }

    [OwnFact]
    public async Task Delay_that_has_not_the_form_is_refused()
    {
        foreach (var topic in (string[])["$delayed/x/t", "$delayed/4294968/t", "$delayed/5", "$delayed/5/", "$delayed/5/$delayed/5/t"])
        {
            var publisher = await ConnectAsync();
            Assert.Equal(ReasonCode.TopicNameInvalid, (await publisher.PublishAsync(topic, "x", 1))!.Reason);
            Assert.Equal(ReasonCode.TopicNameInvalid, (await publisher.PublishAsync(topic, "x", 2))!.Reason);
            await publisher.SendPublishAsync(topic, "x");
            await publisher.ExpectDisconnectAsync(ReasonCode.TopicNameInvalid);
            foreach (var qos in (int[])[0, 1, 2])
            {
                var old = await ConnectAsync(ProtocolVersion.Mqtt311);
                await old.SendPublishAsync(topic, "x", qos, id: (ushort)(qos > 0 ? 1 : 0));
                await old.ExpectCloseAsync();
            }
        }
    }

    [OwnFact]
    public async Task Rights_are_those_of_the_topic_that_the_message_is_for_and_a_Will_cannot_be_delayed_twice()
    {
        var publisher = await ConnectAsync();
        Assert.Equal(ReasonCode.NotAuthorized, (await publisher.PublishAsync("$delayed/1/$SYS/x", "x", 1))!.Reason);
        Assert.Equal(0, await WaitingAsync());
        var client = await AttemptAsync(new ConnectOptions { Will = new Will("$delayed/5/t", "gone"u8.ToArray()) });
        Assert.Equal(ReasonCode.TopicNameInvalid, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
    }

    [OwnFact]
    public async Task More_than_may_wait_is_refused_and_there_is_room_again_when_some_have_gone()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, "t", 2);
        subscriber.AcknowledgesByItself = true;
        var publisher = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, "publisher"));
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(ReasonCode.Success, (await publisher.PublishAsync($"$delayed/{(i == 0 ? 2 : 3600)}/t", $"{i}", 1 + (i % 2)))!.Reason);
        }

        Assert.Equal(ReasonCode.QuotaExceeded, (await publisher.PublishAsync("$delayed/1/t", "no", 1))!.Reason);
        Assert.Equal(ReasonCode.QuotaExceeded, (await publisher.PublishAsync("$delayed/1/t", "no", 2))!.Reason);
        await publisher.PublishAsync("$delayed/1/t", "no");
        var old = await ConnectAsync(ProtocolVersion.Mqtt311);
        await old.SendPublishAsync("$delayed/1/t", "no", 1, id: 1);
        await old.ExpectCloseAsync();
        using var http = new AdminClient(((BrokerProcess)Server).Http);
        Assert.Equal(4, (await http.GetAsync("/api/v1/drops?reason=DelayRefused")).GetProperty("counts").GetProperty("DelayRefused").GetInt32());

        await NextAsync(subscriber, "t", "0");
        await Eventually.TrueAsync(
            async () => (await publisher.PublishAsync("$delayed/3600/t", "yes", 2))!.Reason == ReasonCode.Success, Limit, () => "there is room again");
        Assert.Equal(20, await WaitingAsync());

        // It has grown over no limit by the restart, and has not lost count.
        await Server.RestartAsync();
        publisher = await ConnectAsync();
        Assert.Equal(ReasonCode.QuotaExceeded, (await publisher.PublishAsync("$delayed/1/t", "no", 1))!.Reason);
    }

    [OwnFact]
    public async Task Bytes_that_may_wait_are_bounded()
    {
        var publisher = await ConnectAsync();
        Assert.Equal(ReasonCode.Success, (await publisher.PublishAsync("$delayed/3600/t", new string('x', 1500), 1))!.Reason);
        Assert.Equal(ReasonCode.QuotaExceeded, (await publisher.PublishAsync("$delayed/3600/t", new string('x', 600), 1))!.Reason);
        Assert.Equal(ReasonCode.Success, (await publisher.PublishAsync("$delayed/3600/t", new string('x', 500), 1))!.Reason);
    }

    private static async Task<ReceivedPacket> NextAsync(ScriptedClient subscriber, string topic, string text)
    {
        var message = await subscriber.PickAsync(static packet => packet.Type == PacketType.Publish, $"'{text}'", Limit);
        Assert.Equal((topic, text), (message.Topic, message.Text));
        return message;
    }

    private async Task<double> WaitingAsync() =>
        new PrometheusText(await Http.GetStringAsync(new Uri(((BrokerProcess)Server).Http, "/metrics")))["broker_delayed_messages"];
}
