using System.Buffers;
using System.Text.Json;
using Broker.Grains.Hooks;

namespace Broker.Gateway.Webhook;

/// <summary>Events as the webhook's server gets them.</summary>
internal static class WebhookJson
{
    /// <summary>The body of one request.</summary>
    public static byte[] Write(string node, IReadOnlyList<BrokerEvent> events)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("node", node);
            json.WriteStartArray("events");
            foreach (var happened in events)
            {
                json.WriteStartObject();
                json.WriteString("event", BrokerEventKinds.NameOf(happened.Kind));
                json.WriteString("time", happened.Time);
                json.WriteString("client", happened.ClientId);
                WriteDetails(json, happened);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteDetails(Utf8JsonWriter json, BrokerEvent happened)
    {
        switch (happened)
        {
            case ClientConnected e:
                json.WriteString("user", e.UserName);
                json.WriteString("address", e.Address);
                json.WriteString("protocol", e.Protocol);
                json.WriteBoolean("sessionPresent", e.SessionPresent);
                json.WriteNumber("keepAlive", e.KeepAlive);
                break;
            case ClientDisconnected e:
                json.WriteString("user", e.UserName);
                json.WriteString("reason", e.Reason);
                break;
            case ClientSubscribe e:
                json.WriteString("filter", e.Filter);
                json.WriteNumber("qos", e.Qos);
                break;
            case ClientUnsubscribe e:
                json.WriteString("filter", e.Filter);
                break;
            case MessagePublish e:
                WriteMessage(json, e.Topic, e.Qos, e.MessageId);
                json.WriteBoolean("retain", e.Retain);
                json.WriteBase64String("payload", e.Payload.Span);
                break;
            case MessageDelivered e:
                WriteMessage(json, e.Topic, e.Qos, e.MessageId);
                json.WriteNumber("packetId", e.PacketId);
                break;
            case MessageAcked e:
                WriteMessage(json, e.Topic, e.Qos, e.MessageId);
                json.WriteNumber("packetId", e.PacketId);
                break;
            case MessageDropped e:
                json.WriteString("topic", e.Topic);
                json.WriteString("reason", e.Reason.ToString());
                json.WriteNumber("count", e.Count);
                json.WriteString("messageId", e.MessageId);
                break;
            case SessionCreated e:
                json.WriteBoolean("durable", e.IsDurable);
                break;
        }
    }

    private static void WriteMessage(Utf8JsonWriter json, string topic, int qos, string? id)
    {
        json.WriteString("topic", topic);
        json.WriteNumber("qos", qos);
        json.WriteString("messageId", id);
    }
}
