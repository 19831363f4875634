using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>PUBACK, PUBREC, PUBREL and PUBCOMP, both ways (MQTT sections 3.4 to 3.7).</summary>
internal sealed partial class ClientConnection
{
    private void HandleAcknowledgement(in PacketFrame frame)
    {
        if (!AckCodec.TryDecode(frame, Version, out var packet, out var violation))
        {
            Refuse(violation);
            return;
        }

        if (packet.Type == PacketType.PubRel)
        {
            Release(packet.PacketId);
            return;
        }

        switch (_session!.Acknowledge(this, packet.Type, packet.PacketId, packet.Reason))
        {
            case AcknowledgeResult.Unknown when packet.Type == PacketType.PubRec && packet.Reason < ReasonCode.UnspecifiedError:
                SendAck(PacketType.PubRel, packet.PacketId, ReasonCode.PacketIdentifierNotFound);
                break;

            case AcknowledgeResult.OtherKind:
                Refuse(Violations.AcknowledgementOfOtherKind);
                break;
        }
    }

    /// <summary>PUBREL is answered with PUBCOMP of the same Packet Identifier [MQTT-4.3.3-11] [MQTT-2.2.1-5].</summary>
    private void Release(ushort packetId)
    {
        var isKnown = _session!.ReleaseInbound(
            _epoch, packetId, () => SendAck(PacketType.PubComp, packetId, ReasonCode.Success));
        if (!isKnown)
        {
            SendAck(PacketType.PubComp, packetId, ReasonCode.PacketIdentifierNotFound);
        }
    }

    /// <summary>PUBACK or PUBREC for the client's own publish, or PUBREL for one of ours, with its packet id [MQTT-2.2.1-5].</summary>
    public void Acknowledge(PacketType type, ushort packetId, ReasonCode reason)
    {
        if (reason >= ReasonCode.UnspecifiedError && Version != ProtocolVersion.Mqtt5)
        {
            // 3.x has no negative acknowledgement: the client finds the connection closed and sends it again.
            Close(reason);
            return;
        }

        if (reason >= ReasonCode.UnspecifiedError && type == PacketType.PubRec)
        {
            // Refused: the client may use the packet id for another message [MQTT-4.3.3-9]. Elsewhere, because
            // whoever completes a publish may hold the lock of another session.
            ThreadPool.UnsafeQueueUserWorkItem(RefuseOnce, (Packet: packetId, Reason: reason), preferLocal: false);
            return;
        }

        SendAck(type, packetId, reason);
    }

    private void RefuseOnce((ushort Packet, ReasonCode Reason) refused)
    {
        if (_session is not { } session)
        {
            return;
        }

        if (refused.Reason != ReasonCode.QuotaExceeded && session.HasBeenElsewhere(refused.Packet))
        {
            // As for 3.x: the client sends it again on its next connection, with the packet id that tells what it is. A quota
            // would only refuse it again.
            Close(refused.Reason);
            return;
        }

        session.RefuseInbound(_epoch, refused.Packet, () => SendAck(PacketType.PubRec, refused.Packet, refused.Reason));
    }
}
