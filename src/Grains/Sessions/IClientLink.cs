using Broker.Grains.Messages;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>
/// A connected client as its session sees it. All methods write into the connection's output buffer and return; the
/// bytes leave when the thread that wrote them ends its batch. Safe to call from any thread, never blocks.
/// </summary>
public interface IClientLink
{
    ProtocolVersion Version { get; }

    /// <summary>The broker has ended the connection because it stops, or to move the client: the client has not failed.</summary>
    bool IsSentAway => false;

    /// <summary>
    /// Writes a PUBLISH. Refused when the client's output budget is used up (<see cref="SendStatus.Full"/>; the link calls
    /// <see cref="Session.ResumeSending"/> when there is room again) or the packet exceeds its Maximum Packet Size.
    /// </summary>
    SendStatus TryPublish(scoped in PublishSource source, scoped in DeliveryHeader header);

    /// <summary>Writes PUBACK, PUBREC, PUBREL or PUBCOMP. Not subject to the output budget: acknowledgements are bounded
    /// by the windows on both sides.</summary>
    void Acknowledge(PacketType type, ushort packetId, ReasonCode reason);

    /// <summary>Ends the connection; MQTT 5.0 clients get a DISCONNECT with <paramref name="reason"/>.</summary>
    void Close(ReasonCode reason);
}

/// <summary>What became of a PUBLISH given to a link.</summary>
public enum SendStatus
{
    /// <summary>It is in the output buffer.</summary>
    Sent,

    /// <summary>The output budget is used up; nothing was written.</summary>
    Full,

    /// <summary>It exceeds the client's Maximum Packet Size: not sent [MQTT-3.1.2-24], and the session is done with it [MQTT-3.1.2-25].</summary>
    TooLarge,

    /// <summary>The connection is gone.</summary>
    Closed,
}

/// <summary>What differs from one recipient to the next in a PUBLISH.</summary>
public readonly ref struct DeliveryHeader
{
    public QualityOfService Qos { get; init; }

    public bool Retain { get; init; }

    public bool Dup { get; init; }

    public ushort PacketId { get; init; }

    public ReadOnlySpan<uint> SubscriptionIdentifiers { get; init; }

    /// <summary>Message id; <see cref="MessageId.None"/> at QoS 0.</summary>
    public MessageId MessageId => Delivery?.Message?.Id ?? MessageId.None;

    /// <summary>The delivery that is sent, for a link that lends it to another session; null at QoS 0.</summary>
    internal Delivery? Delivery { get; init; }
}
