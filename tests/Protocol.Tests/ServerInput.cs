using System.Buffers;

namespace Broker.Protocol.Tests;

/// <summary>Runs bytes through framer and decoders the way a server does with what a client sends.</summary>
internal static class ServerInput
{
    public const int MaximumPacketSize = 1 << 20;

    /// <summary>Reason code of the first violation; null when there is none, or the packet is not whole.</summary>
    public static ReasonCode? Check(ReadOnlySequence<byte> input, ProtocolVersion version, int maximumPacketSize = MaximumPacketSize)
    {
        while (!input.IsEmpty)
        {
            switch (PacketFramer.TryRead(ref input, maximumPacketSize, out var frame))
            {
                case FrameStatus.Incomplete:
                    return null;
                case FrameStatus.TooLarge:
                    return ReasonCode.PacketTooLarge;
                case FrameStatus.Malformed:
                    return ReasonCode.MalformedPacket;
                default:
                    if (Decode(frame, version) is { } reason)
                    {
                        return reason;
                    }

                    break;
            }
        }

        return null;
    }

    /// <summary>Decodes a packet of any type, also those that only a server sends.</summary>
    public static ReasonCode? Decode(in PacketFrame frame, ProtocolVersion version)
    {
        ProtocolViolation? violation = null;
        switch (frame.Type)
        {
            case PacketType.Connect:
                if (!ConnectPacket.TryDecode(frame, out _, out violation))
                {
                    ConnectPacket.ReadBeginning(frame);
                }

                break;
            case PacketType.ConnAck:
                ConnAckPacket.TryDecode(frame, version, out _, out violation);
                break;
            case PacketType.Publish:
                PublishDecoder.TryDecode(frame, version, out _, out violation);
                break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                AckCodec.TryDecode(frame, version, out _, out violation);
                break;
            case PacketType.Subscribe:
                SubscribePacket.TryDecode(frame, version, out _, out violation);
                break;
            case PacketType.SubAck:
                SubAckPacket.TryDecode(frame, version, out _, out violation);
                break;
            case PacketType.Unsubscribe:
                UnsubscribePacket.TryDecode(frame, version, out _, out violation);
                break;
            case PacketType.UnsubAck:
                UnsubAckPacket.TryDecode(frame, version, out _, out violation);
                break;
            case PacketType.PingReq or PacketType.PingResp:
                // Neither flags nor body: there is nothing to decode.
                return frame.Flags == 0 && frame.Body.IsEmpty ? null : ReasonCode.MalformedPacket;
            case PacketType.Disconnect:
                DisconnectPacket.TryDecode(frame, version, out _, out violation);
                break;
            case PacketType.Auth:
                AuthPacket.TryDecode(frame, out _, out violation);
                break;
            default:
                return ReasonCode.ProtocolError;
        }

        return violation?.Reason;
    }
}
