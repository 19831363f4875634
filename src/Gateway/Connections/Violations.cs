using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>Rules that only the state of a connection can tell to be broken; the rest is the decoders' business.</summary>
internal static class Violations
{
    public static readonly ProtocolViolation FirstPacketNotConnect =
        new(ReasonCode.ProtocolError, "MQTT-3.1.0-1", "The first packet is not CONNECT.");

    public static readonly ProtocolViolation SecondConnect =
        new(ReasonCode.ProtocolError, "MQTT-3.1.0-2", "A second CONNECT on the same connection.");

    public static readonly ProtocolViolation ServerPacket =
        new(ReasonCode.ProtocolError, "2.1.2", "A packet that only a server sends.");

    public static readonly ProtocolViolation AuthNotOffered =
        new(ReasonCode.ProtocolError, "MQTT-4.12.0-6", "AUTH on a connection without an Authentication Method.");

    public static readonly ProtocolViolation BeforeAuthenticated =
        new(ReasonCode.ProtocolError, "MQTT-3.1.2-30", "A packet other than AUTH or DISCONNECT before the authentication was done.");

    public static readonly ProtocolViolation AuthUnexpected =
        new(ReasonCode.ProtocolError, "4.12", "AUTH with a Reason Code that does not fit the state of the authentication.");

    public static readonly ProtocolViolation AuthMethodChanged = new(
        ReasonCode.BadAuthenticationMethod, "MQTT-4.12.1-1", "AUTH with another Authentication Method than CONNECT.");

    public static readonly ProtocolViolation PayloadFormat =
        new(ReasonCode.PayloadFormatInvalid, "3.3.2.3.2", "The payload is said to be UTF-8 and is not.");

    public static readonly ProtocolViolation PacketTooLarge =
        new(ReasonCode.PacketTooLarge, "MQTT-3.2.2-15", "The packet exceeds the Maximum Packet Size.");

    public static readonly ProtocolViolation RemainingLength =
        new(ReasonCode.MalformedPacket, "MQTT-1.5.5-1", "Remaining Length is not a Variable Byte Integer.");

    public static readonly ProtocolViolation MalformedPing =
        new(ReasonCode.MalformedPacket, "3.12", "PINGREQ with flags or content.");

    public static readonly ProtocolViolation ExpiryFromZero =
        new(ReasonCode.ProtocolError, "3.14.2.2.2", "DISCONNECT sets a Session Expiry Interval where CONNECT had none.");

    public static readonly ProtocolViolation TopicAlias =
        new(ReasonCode.TopicAliasInvalid, "MQTT-3.3.2-9", "Topic Alias beyond the maximum.");

    public static readonly ProtocolViolation TopicAliasUnset =
        new(ReasonCode.ProtocolError, "3.3.4", "A Topic Alias in place of a topic that was not set on this connection.");

    public static readonly ProtocolViolation AcknowledgementOfOtherKind =
        new(ReasonCode.ProtocolError, "4.3", "An acknowledgement that is not the answer to what was sent with its packet id.");

    public static readonly ProtocolViolation TopicTooLong =
        new(ReasonCode.TopicNameInvalid, "4.7.3", "The topic name is longer or deeper than this broker accepts.");

    public static readonly ProtocolViolation DelayedTopic =
        new(ReasonCode.TopicNameInvalid, "4.7.3", "A topic name that begins with $delayed has the form $delayed/SECONDS/TOPIC.");

    public static readonly ProtocolViolation ReceiveMaximum =
        new(ReasonCode.ReceiveMaximumExceeded, "MQTT-3.3.4-7", "More unacknowledged PUBLISH packets than the Receive Maximum.");

    public static readonly ProtocolViolation TooManyUnreleased =
        new(ReasonCode.ReceiveMaximumExceeded, "MQTT-3.3.4-7", "Too many QoS 2 messages wait for PUBREL.");
}
