using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Broker.Protocol;

/// <summary>CONNECT (MQTT section 3.1).</summary>
public sealed record ConnectPacket
{
    // A bridge of mosquitto marks itself in the upper bit of the protocol level.
    private const byte BridgeBit = 0x80;
    private const byte CleanBit = 0x02;
    private const byte WillBit = 0x04;
    private const byte WillRetainBit = 0x20;
    private const byte PasswordBit = 0x40;
    private const byte UserNameBit = 0x80;

    public ProtocolVersion Version { get; init; } = ProtocolVersion.Mqtt311;

    /// <summary>Clean Start; Clean Session in 3.x.</summary>
    public bool CleanStart { get; init; } = true;

    /// <summary>Seconds; 0 for none.</summary>
    public ushort KeepAlive { get; init; }

    public string ClientId { get; init; } = "";

    public string? UserName { get; init; }

    public byte[]? Password { get; init; }

    /// <summary>Null without the Will Flag: then none is published [MQTT-3.1.2-12] of 3.1.1.</summary>
    public WillMessage? Will { get; init; }

    /// <summary>Seconds; null when not given, which means 0.</summary>
    public uint? SessionExpiry { get; init; }

    /// <summary>Seconds; 0 ends the session with the connection.</summary>
    public uint SessionExpiryInterval => SessionExpiry ?? 0;

    public ushort ReceiveMaximum { get; init; } = ushort.MaxValue;

    /// <summary>Bytes; null for no limit.</summary>
    public uint? MaximumPacketSize { get; init; }

    public ushort TopicAliasMaximum { get; init; }

    public bool RequestResponseInformation { get; init; }

    public bool RequestProblemInformation { get; init; } = true;

    public string? AuthenticationMethod { get; init; }

    public byte[]? AuthenticationData { get; init; }

    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>
    /// <code>
    /// protocol name | level | connect flags | keep alive | properties (5.0) |
    /// client id | will properties (5.0), topic, payload | user name | password
    /// </code>
    /// A violation with <see cref="ReasonCode.UnsupportedProtocolVersion"/> says that the rest was not looked at.
    /// </summary>
    public static bool TryDecode(
        in PacketFrame frame, [NotNullWhen(true)] out ConnectPacket? packet, [NotNullWhen(false)] out ProtocolViolation? violation)
    {
        packet = null;
        var reader = new ByteReader(frame.Contiguous());
        if (frame.Flags != 0)
        {
            reader.Fail(Violation.Flags);
        }

        var version = ReadVersion(ref reader);
        if (reader.IsOk)
        {
            packet = Read(ref reader, version);
            reader.End();
        }

        violation = reader.Violation;
        packet = violation is null ? packet : null;
        return packet is not null;
    }

    /// <summary>
    /// What can be read of a CONNECT that is refused, up to its first violation or to the end of what has come of it: it says how its
    /// client is answered. Null when not even the version is known.
    /// </summary>
    public static ConnectPacket? ReadBeginning(in PacketFrame frame)
    {
        var reader = new ByteReader(frame.Contiguous());
        var version = ReadVersion(ref reader);
        return reader.IsOk ? Read(ref reader, version) : null;
    }

    /// <summary>Writes the packet as a client sends it.</summary>
    public void Write(IBufferWriter<byte> writer)
    {
        var body = new ArrayBufferWriter<byte>();
        body.WriteText(Version == ProtocolVersion.Mqtt31 ? "MQIsdp" : "MQTT");
        body.WriteByte((byte)Version);
        body.WriteByte(ConnectFlags());
        body.WriteUInt16(KeepAlive);
        if (Version == ProtocolVersion.Mqtt5)
        {
            Properties().Write(body);
        }

        body.WriteText(ClientId);
        if (Will is not null)
        {
            WillCodec.Write(body, Will, Version);
        }

        if (UserName is not null)
        {
            body.WriteText(UserName);
        }

        if (Password is not null)
        {
            body.WriteBinary(Password);
        }

        writer.WritePacket(PacketType.Connect, 0, body.WrittenSpan);
    }

    private static ProtocolVersion ReadVersion(ref ByteReader reader)
    {
        var name = reader.Utf8();
        var isMqtt = name.SequenceEqual("MQTT"u8);
        if (reader.IsOk && !isMqtt && !name.SequenceEqual("MQIsdp"u8))
        {
            reader.Fail(Violation.ProtocolName);
        }

        var level = reader.Byte() & ~BridgeBit;
        var isKnown = isMqtt ? level is 4 or 5 : level == 3;
        if (reader.IsOk && !isKnown)
        {
            reader.Fail(Violation.ProtocolLevel);
        }

        return (ProtocolVersion)level;
    }

    private static ConnectPacket Read(ref ByteReader reader, ProtocolVersion version)
    {
        var flags = reader.Byte();
        CheckFlags(ref reader, flags, version);
        var keepAlive = reader.UInt16();
        var properties = version == ProtocolVersion.Mqtt5 ? PropertySet.Read(ref reader, Packets.Connect) : new PropertySet();
        if (properties.Bytes(PropertyId.AuthenticationData) is not null && properties.Bytes(PropertyId.AuthenticationMethod) is null)
        {
            reader.Fail(Violation.DataWithoutMethod);
        }

        return new ConnectPacket
        {
            Version = version,
            CleanStart = (flags & CleanBit) != 0,
            KeepAlive = keepAlive,
            SessionExpiry = properties.Number(PropertyId.SessionExpiryInterval),
            ReceiveMaximum = (ushort)(properties.Number(PropertyId.ReceiveMaximum) ?? ushort.MaxValue),
            MaximumPacketSize = properties.Number(PropertyId.MaximumPacketSize),
            TopicAliasMaximum = (ushort)(properties.Number(PropertyId.TopicAliasMaximum) ?? 0),
            RequestResponseInformation = properties.Flag(PropertyId.RequestResponseInformation) ?? false,
            RequestProblemInformation = properties.Flag(PropertyId.RequestProblemInformation) ?? true,
            AuthenticationMethod = properties.Text(PropertyId.AuthenticationMethod),
            AuthenticationData = properties.Bytes(PropertyId.AuthenticationData),
            UserProperties = properties.Users,
            ClientId = reader.Text(),
            Will = (flags & WillBit) == 0 ? null : WillCodec.Read(ref reader, flags, version),
            UserName = IsThere(reader, flags & UserNameBit, version) ? reader.Text() : null,
            Password = IsThere(reader, flags & PasswordBit, version) ? reader.Binary().ToArray() : null,
        };
    }

    // In MQTT 3.1 the end of the packet takes precedence over the flags of user name and password (3.1 section 3.1).
    private static bool IsThere(in ByteReader reader, int flag, ProtocolVersion version) =>
        flag != 0 && (version != ProtocolVersion.Mqtt31 || reader.Remaining > 0);

    private static void CheckFlags(ref ByteReader reader, byte flags, ProtocolVersion version)
    {
        var willQos = (flags >> 3) & 0x03;
        if ((flags & 0x01) != 0 && version != ProtocolVersion.Mqtt31)
        {
            // [MQTT-3.1.2-3]; MQTT 3.1 calls the bit unused and asks nothing of it.
            reader.Fail(Violation.ConnectReserved);
        }
        else if (willQos == 3)
        {
            reader.Fail(Violation.WillQos3);
        }
        else if ((flags & WillBit) == 0 && (willQos != 0 || (flags & WillRetainBit) != 0))
        {
            // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
            reader.Fail(Violation.WillFlags);
        }
        else if (version != ProtocolVersion.Mqtt5 && (flags & UserNameBit) == 0 && (flags & PasswordBit) != 0)
        {
            // [MQTT-3.1.2-22] of 3.1.1 only; MQTT 5.0 allows a password alone.
            reader.Fail(Violation.PasswordWithoutUser);
        }
    }

    private byte ConnectFlags() => (byte)(
        (CleanStart ? CleanBit : 0)
        | (Will is null ? 0 : WillBit | ((int)Will.Qos << 3) | (Will.Retain ? WillRetainBit : 0))
        | (Password is null ? 0 : PasswordBit)
        | (UserName is null ? 0 : UserNameBit));

    private PropertySet Properties() => new PropertySet()
        .Set(PropertyId.SessionExpiryInterval, SessionExpiry)
        .Set(PropertyId.ReceiveMaximum, ReceiveMaximum == ushort.MaxValue ? (uint?)null : ReceiveMaximum)
        .Set(PropertyId.MaximumPacketSize, MaximumPacketSize)
        .Set(PropertyId.TopicAliasMaximum, TopicAliasMaximum == 0 ? (uint?)null : TopicAliasMaximum)
        .Set(PropertyId.RequestResponseInformation, RequestResponseInformation ? true : null)
        .Set(PropertyId.RequestProblemInformation, RequestProblemInformation ? null : false)
        .Set(PropertyId.AuthenticationMethod, AuthenticationMethod)
        .Set(PropertyId.AuthenticationData, AuthenticationData)
        .Set(UserProperties);
}
