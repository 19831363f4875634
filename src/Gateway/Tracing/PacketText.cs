using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Broker.Gateway.Sys;
using Broker.Grains.Messages;
using Broker.Protocol;

namespace Broker.Gateway.Tracing;

/// <summary>
/// Packets as a person reads them, in one line; what clients have made up stands in quotes, with its control characters escaped. Passwords and
/// authentication data are not in it.
/// </summary>
internal static class PacketText
{
    public static string Quote(string text) => $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)}\"";

    /// <summary>A Reason Code as number and name.</summary>
    public static string Of(ReasonCode reason) => string.Create(
        CultureInfo.InvariantCulture, $"0x{(int)reason:x2}{(Enum.IsDefined(reason) ? " " + reason : "")}");

    public static string OfPublish(ReadOnlySpan<byte> topic, int qos, bool retain, bool dup, ushort packetId, MessageId message, long payload) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"PUBLISH topic={Quote(Encoding.UTF8.GetString(topic))} qos={qos} retain={(retain ? 1 : 0)} dup={(dup ? 1 : 0)}") +
        (packetId == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" packet={packetId}")) +
        (message == MessageId.None ? "" : $" message={message}") +
        string.Create(CultureInfo.InvariantCulture, $" payload={payload}");

    public static string OfAck(PacketType type, ushort packetId, ReasonCode reason) => string.Create(
        CultureInfo.InvariantCulture, $"{Name(type)} packet={packetId}{(reason == ReasonCode.Success ? "" : " reason=" + Of(reason))}");

    public static string Of(ConnectPacket packet)
    {
        var text = new StringBuilder(string.Create(
            CultureInfo.InvariantCulture,
            $"CONNECT version={ClientPresence.VersionText(packet.Version)} client={Quote(packet.ClientId)} clean={(packet.CleanStart ? 1 : 0)} keep_alive={packet.KeepAlive}"));
        if (packet.Version == ProtocolVersion.Mqtt5)
        {
            text.Append(CultureInfo.InvariantCulture, $" expiry={packet.SessionExpiryInterval} receive_maximum={packet.ReceiveMaximum}");
        }

        if (packet.UserName is { } user)
        {
            text.Append(" user=").Append(Quote(user));
        }

        text.Append(packet.Password is null ? "" : " password=given");
        text.Append(packet.AuthenticationMethod is { } method ? " method=" + Quote(method) : "");
        if (packet.Will is { } will)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $" will={Quote(will.Topic)} will_qos={(int)will.Qos} will_retain={(will.Retain ? 1 : 0)} will_payload={will.Payload.Length}");
        }

        return text.ToString();
    }

    public static string Of(SubscribePacket packet) => string.Create(CultureInfo.InvariantCulture, $"SUBSCRIBE packet={packet.PacketId}")
        + string.Concat(packet.Requests.Select(static request => $" {Quote(request.Filter)} qos={(int)request.MaximumQos}"));

    public static string Of(UnsubscribePacket packet) => string.Create(CultureInfo.InvariantCulture, $"UNSUBSCRIBE packet={packet.PacketId}")
        + string.Concat(packet.Filters.Select(static filter => " " + Quote(filter)));

    /// <summary>Any other packet, in either direction; one that cannot be read is named at least.</summary>
    public static string Of(in PacketFrame frame, ProtocolVersion version)
    {
        switch (frame.Type)
        {
            case PacketType.ConnAck when ConnAckPacket.TryDecode(frame, version, out var packet, out _):
                return $"CONNACK reason={Of(packet.Reason)} session_present={(packet.SessionPresent ? 1 : 0)}"
                    + (packet.AssignedClientIdentifier is { } id ? " assigned=" + Quote(id) : "") + Explained(packet.ReasonString);
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp
                when AckCodec.TryDecode(frame, version, out var packet, out _):
                return OfAck(packet.Type, packet.PacketId, packet.Reason) + Explained(packet.ReasonString);
            case PacketType.SubAck when SubAckPacket.TryDecode(frame, version, out var packet, out _):
                return OfAnswers(frame.Type, packet.PacketId, packet.Reasons) + Explained(packet.ReasonString);
            case PacketType.UnsubAck when UnsubAckPacket.TryDecode(frame, version, out var packet, out _):
                return OfAnswers(frame.Type, packet.PacketId, packet.Reasons) + Explained(packet.ReasonString);
            case PacketType.Disconnect when DisconnectPacket.TryDecode(frame, version, out var packet, out _):
                return $"DISCONNECT reason={Of(packet.Reason)}"
                    + (packet.ServerReference is { } server ? " server=" + Quote(server) : "") + Explained(packet.ReasonString);
            case PacketType.Auth when AuthPacket.TryDecode(frame, out var packet, out _):
                return $"AUTH reason={Of(packet.Reason)}"
                    + (packet.AuthenticationMethod is { } method ? " method=" + Quote(method) : "") + Explained(packet.ReasonString);
            case PacketType.PingReq or PacketType.PingResp:
                return Name(frame.Type);
            default:
                return string.Create(CultureInfo.InvariantCulture, $"{Name(frame.Type)} unreadable, {frame.Body.Length} bytes");
        }
    }

    private static string Name(PacketType type) => type.ToString().ToUpperInvariant();

    private static string Explained(string? text) => text is null ? "" : " text=" + Quote(text);

    private static string OfAnswers(PacketType type, ushort packetId, IReadOnlyList<ReasonCode> reasons) =>
        string.Create(CultureInfo.InvariantCulture, $"{Name(type)} packet={packetId}")
        + string.Concat(reasons.Select(static reason => string.Create(CultureInfo.InvariantCulture, $" 0x{(int)reason:x2}")));
}
