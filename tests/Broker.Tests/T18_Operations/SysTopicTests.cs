using System.Globalization;
using System.Text.Json;

namespace Broker.Tests.T18_Operations;

/// <summary>What the broker says about itself.</summary>
public sealed class SysTopicTests() : OwnBrokerTest(("Sys:Interval", "2s"), ("Sys:Node", Node))
{
    private const string Node = "node-1";
    private const string Prefix = "$SYS/brokers/" + Node + "/";

    [OwnFact]
    public async Task Tree_is_published_at_each_interval()
    {
        var reader = await SubscriberAsync(ProtocolVersion.Mqtt5, "$SYS/#");

        var first = await CollectAsync(reader, 1);
        Assert.Equal(Node, first["$SYS/brokers"]);
        string[] expected =
        [
            "version", "sysdescr", "uptime", "datetime", "stats/clients/count", "stats/clients/max", "stats/sessions/count",
            "stats/topics/max", "stats/subscribers/count", "metrics/bytes/received", "metrics/bytes/sent", "metrics/packets/received",
            "metrics/packets/publish/sent", "metrics/messages/received", "metrics/messages/dropped", "metrics/messages/qos1/received",
        ];
        Assert.All(expected, name => Assert.Contains(Prefix + name, first.Keys));
        Assert.Equal("1", first[Prefix + "stats/clients/count"]);
        Assert.Equal("1", first[Prefix + "stats/subscribers/count"]);
    }

    [OwnFact]
    public async Task Counters_are_exact()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic(), 1);
        subscriber.AcknowledgesByItself = true;
        var publisher = await ConnectAsync();
        for (var i = 0; i < 5; i++)
        {
            await publisher.PublishAsync(Topic(), "counted", 1);
        }

        await subscriber.ExpectPublishesAsync(5);
        await (await ConnectAsync()).DisconnectAsync();
        var reader = await SubscriberAsync(ProtocolVersion.Mqtt5, Prefix + "#");

        // What the reader itself is sent is counted as well, at QoS 0.
        var tree = await CollectAsync(reader, 2);
        Assert.Equal("5", tree[Prefix + "metrics/messages/received"]);
        Assert.Equal("5", tree[Prefix + "metrics/messages/qos1/sent"]);
        Assert.Equal("5", tree[Prefix + "metrics/packets/puback/sent"]);
        Assert.Equal("5", tree[Prefix + "metrics/packets/puback/received"]);
        Assert.Equal("4", tree[Prefix + "metrics/packets/connect"]);
        Assert.Equal("4", tree[Prefix + "metrics/packets/connack"]);
        Assert.Equal("1", tree[Prefix + "metrics/packets/disconnect"]);
        Assert.Equal("2", tree[Prefix + "metrics/packets/suback"]);
        Assert.Equal("3", tree[Prefix + "stats/clients/count"]);
        Assert.InRange(long.Parse(tree[Prefix + "metrics/bytes/sent"], CultureInfo.InvariantCulture), 500, long.MaxValue);
    }

    [OwnFact]
    public async Task Version_is_retained_and_numbers_are_not()
    {
        var numbers = await SubscriberAsync(ProtocolVersion.Mqtt5, Prefix + "uptime");
        Assert.False((await numbers.PickAsync(packet => packet.Type == PacketType.Publish, "the uptime")).Retain);

        // It was published before the uptime; the copy of an interval that ends meanwhile may come before the retained one.
        var reader = await SubscriberAsync(ProtocolVersion.Mqtt5, Prefix + "version");
        await reader.PickAsync(packet => packet.Type == PacketType.Publish && packet.Retain, "the retained version");
    }

    // [MQTT-4.7.2-1]
    [OwnFact]
    public async Task Wildcards_at_the_first_level_do_not_match_the_tree()
    {
        var all = await SubscriberAsync(ProtocolVersion.Mqtt5, "#");
        await all.SubscribeAsync("+/brokers/#", 0);
        var reader = await SubscriberAsync(ProtocolVersion.Mqtt5, Prefix + "datetime");
        await reader.PickAsync(packet => packet.Type == PacketType.Publish, "one interval");
        await reader.PickAsync(packet => packet.Type == PacketType.Publish, "another interval");

        await all.PingAsync();
        await all.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));
    }

    [OwnFact]
    public async Task Clients_are_announced_when_they_come_and_go()
    {
        var reader = await SubscriberAsync(ProtocolVersion.Mqtt5, "$SYS/brokers/+/clients/#");
        var options = new ConnectOptions(ProtocolVersion.Mqtt311) { ClientId = "a/b+c", KeepAlive = 30 };
        var client = await ConnectAsync(options);
        var connected = await PresenceAsync(reader, "a%2Fb%2Bc/connected");
        Assert.Equal("a/b+c", connected.GetProperty("clientid").GetString());
        Assert.Equal("3.1.1", connected.GetProperty("protocol").GetString());
        Assert.Equal("127.0.0.1", connected.GetProperty("ipaddress").GetString());
        Assert.Equal(30, connected.GetProperty("keepalive").GetInt32());

        await ConnectAsync(options);
        Assert.Equal("session_taken_over", (await PresenceAsync(reader, "a%2Fb%2Bc/disconnected")).GetProperty("reason").GetString());
        await client.DisposeAsync();

        var other = await ConnectAsync(new ConnectOptions { ClientId = "d" });
        await PresenceAsync(reader, "d/connected");
        await other.DisconnectAsync();
        Assert.Equal("normal", (await PresenceAsync(reader, "d/disconnected")).GetProperty("reason").GetString());
    }

    /// <summary>Values of whole intervals, the last one's: one ends with the count of dropped messages.</summary>
    private static async Task<Dictionary<string, string>> CollectAsync(ScriptedClient reader, int intervals)
    {
        var values = new Dictionary<string, string>();
        while (intervals > 0)
        {
            var message = await reader.PickAsync(packet => packet.Type == PacketType.Publish, "the tree");
            values[message.Topic] = message.Text;
            intervals -= message.Topic == Prefix + "metrics/messages/dropped" ? 1 : 0;
        }

        return values;
    }

    private static async Task<JsonElement> PresenceAsync(ScriptedClient reader, string name)
    {
        var topic = Prefix + "clients/" + name;
        var message = await reader.PickAsync(packet => packet.Type == PacketType.Publish && packet.Topic == topic, topic);
        return JsonDocument.Parse(message.Text).RootElement;
    }
}
