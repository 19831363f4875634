using System.Globalization;
using Broker.Gateway.Connections;
using Broker.Grains.Diagnostics;
using Broker.Grains.Retained;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Sys;

/// <summary>The numbers of the tree: read when they are published, from counters that the threads keep anyway.</summary>
internal sealed class SysTree(
    ConnectionRegistry connections,
    ConnectionMetrics metrics,
    SessionTable sessions,
    FilterIndex<Subscription> index,
    RetainedMessages retained,
    DropLedger drops)
{
    // Names of packets as emqttd wrote them; those with two directions have a level for each.
    private static readonly (PacketType Type, string Name)[] Received =
    [
        (PacketType.Connect, "connect"), (PacketType.Subscribe, "subscribe"), (PacketType.Unsubscribe, "unsubscribe"),
        (PacketType.PingReq, "pingreq"), (PacketType.Disconnect, "disconnect"), (PacketType.Auth, "auth/received"),
        (PacketType.Publish, "publish/received"), (PacketType.PubAck, "puback/received"), (PacketType.PubRec, "pubrec/received"),
        (PacketType.PubRel, "pubrel/received"), (PacketType.PubComp, "pubcomp/received"),
    ];

    private static readonly (PacketType Type, string Name)[] Sent =
    [
        (PacketType.ConnAck, "connack"), (PacketType.SubAck, "suback"), (PacketType.UnsubAck, "unsuback"),
        (PacketType.PingResp, "pingresp"), (PacketType.Disconnect, "disconnect/sent"), (PacketType.Auth, "auth/sent"),
        (PacketType.Publish, "publish/sent"), (PacketType.PubAck, "puback/sent"), (PacketType.PubRec, "pubrec/sent"),
        (PacketType.PubRel, "pubrel/sent"), (PacketType.PubComp, "pubcomp/sent"),
    ];

    private int _mostRetained;

    /// <summary>Counts now and the highest since the start.</summary>
    public IEnumerable<(string Name, string Value)> Stats()
    {
        _mostRetained = Math.Max(_mostRetained, retained.Count);
        (string Name, int Count, int Most)[] stats =
        [
            ("clients", connections.Count, connections.Highest),
            ("sessions", sessions.Count, sessions.SlotCount),
            ("topics", index.FilterCount, index.MostFilters),
            ("subscribers", index.SubscriberCount, index.MostSubscribers),
            ("retained", retained.Count, _mostRetained),
        ];
        return stats.SelectMany(static s => new[] { ($"stats/{s.Name}/count", Text(s.Count)), ($"stats/{s.Name}/max", Text(s.Most)) });
    }

    /// <summary>Counters since the start.</summary>
    public IEnumerable<(string Name, string Value)> Metrics()
    {
        var totals = metrics.Totals();
        yield return ("metrics/bytes/received", Text(totals.BytesReceived));
        yield return ("metrics/bytes/sent", Text(totals.BytesSent));
        yield return ("metrics/packets/received", Text(totals.Received.Sum()));
        yield return ("metrics/packets/sent", Text(totals.Sent.Sum()));
        foreach (var (type, name) in Received)
        {
            yield return ($"metrics/packets/{name}", Text(totals.Received[(int)type]));
        }

        foreach (var (type, name) in Sent)
        {
            yield return ($"metrics/packets/{name}", Text(totals.Sent[(int)type]));
        }

        yield return ("metrics/messages/received", Text(totals.Published.Sum()));
        yield return ("metrics/messages/sent", Text(totals.Delivered.Sum()));
        for (var qos = 0; qos < ConnectionTotals.QosLevels; qos++)
        {
            yield return ($"metrics/messages/qos{qos}/received", Text(totals.Published[qos]));
            yield return ($"metrics/messages/qos{qos}/sent", Text(totals.Delivered[qos]));
        }

        yield return ("metrics/messages/retained", Text(retained.Count));
        yield return ("metrics/messages/dropped", Text(drops.Total));
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
