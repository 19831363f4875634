using Broker.Grains.Delayed;
using Broker.Grains.Diagnostics;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>PUBLISH to <c>$delayed/SECONDS/TOPIC</c>: rights and hooks are those of TOPIC, and the acknowledgement says that the message is kept.</summary>
internal sealed partial class ClientConnection
{
    /// <param name="topic">In: as it was sent. Out: the topic that the message is for.</param>
    /// <param name="publishAt">When it is to be published, in milliseconds since 1970; 0 when at once.</param>
    /// <returns>False when it begins like a delay and is none.</returns>
    private bool TryReadDelay(ref ReadOnlySpan<byte> topic, out long publishAt)
    {
        publishAt = 0;
        if (topic[0] != (byte)'$' || !DelayedTopic.IsDelayed(topic))
        {
            return true;
        }

        if (!DelayedTopic.TryParse(topic, out var seconds, out var target))
        {
            return false;
        }

        topic = target;
        publishAt = seconds == 0 ? 0 : Now + (seconds * 1000L);
        return true;
    }

    /// <summary>A well-formed Topic Name that this broker does not accept: QoS 0 has no other answer than DISCONNECT.</summary>
    private void RefuseDelay(ReadOnlySpan<byte> topic, QualityOfService qos, ushort packetId)
    {
        _services.Drops.Add(ClientId, topic, DropReason.DelayRefused);
        if (qos == QualityOfService.AtMostOnce)
        {
            Refuse(Violations.DelayedTopic);
        }
        else
        {
            TellRefusal(qos, packetId, ReasonCode.TopicNameInvalid);
        }
    }
}
