using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>What an acknowledgement from the client was to its session.</summary>
public enum AcknowledgeResult
{
    /// <summary>The answer that was waited for, or one from a connection that the session has left.</summary>
    Done,

    /// <summary>Nothing is in flight with this packet id. What a client sends late is that, and no error.</summary>
    Unknown,

    /// <summary>
    /// Something is in flight with this packet id, and this does not answer it: <see cref="PacketType.PubAck"/> for QoS 2, PUBREC or
    /// PUBCOMP for QoS 1, PUBCOMP before PUBREC.
    /// </summary>
    OtherKind,
}
