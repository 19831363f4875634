using Broker.Protocol;

namespace Broker.TestKit.Wire;

/// <summary>
/// Packets a client sends, as bytes. Written apart from the broker's codec, so that an error there has no twin here.
/// Nothing is validated: tests need wrong packets too.
/// </summary>
public static class Packets
{
    public static byte[] Connect(ConnectOptions options)
    {
        var isVersion5 = options.Version == ProtocolVersion.Mqtt5;
        var will = options.Will;
        var flags = (options.Clean ? 2 : 0)
            | (will is null ? 0 : 4 | (will.Qos << 3) | (will.Retain ? 32 : 0))
            | (options.Password is null ? 0 : 64)
            | (options.UserName is null ? 0 : 128);
        var writer = new WireWriter()
            .Text(options.Version == ProtocolVersion.Mqtt31 ? "MQIsdp" : "MQTT")
            .Byte((int)options.Version)
            .Byte(flags)
            .Short(options.KeepAlive);
        PropertiesOf(writer, isVersion5, options.Properties);
        writer.Text(options.ClientId);
        if (will is not null)
        {
            PropertiesOf(writer, isVersion5, will.Properties);
            writer.Text(will.Topic).Binary(will.Payload);
        }

        if (options.UserName is not null)
        {
            writer.Text(options.UserName);
        }

        if (options.Password is not null)
        {
            writer.Binary(options.Password);
        }

        return writer.ToPacket(0x10);
    }

    public static byte[] Publish(ProtocolVersion version, PublishOptions options)
    {
        var writer = new WireWriter().Text(options.Topic);
        if (options.Qos > 0)
        {
            writer.Short(options.PacketId);
        }

        PropertiesOf(writer, version == ProtocolVersion.Mqtt5, options.Properties);
        var flags = (options.Dup ? 8 : 0) | (options.Qos << 1) | (options.Retain ? 1 : 0);
        return writer.Raw(options.Payload).ToPacket(0x30 | flags);
    }

    /// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP; the reason is left out where the specification allows it.</summary>
    public static byte[] Ack(PacketType type, int packetId, ReasonCode reason = ReasonCode.Success)
    {
        var writer = new WireWriter().Short(packetId);
        if (reason != ReasonCode.Success)
        {
            writer.Byte((int)reason);
        }

        return writer.ToPacket(((int)type << 4) | (type == PacketType.PubRel ? 2 : 0));
    }

    public static byte[] Subscribe(
        ProtocolVersion version, int packetId, IEnumerable<Subscription> filters, PropertyCollection? properties = null)
    {
        var writer = new WireWriter().Short(packetId);
        PropertiesOf(writer, version == ProtocolVersion.Mqtt5, properties);
        foreach (var filter in filters)
        {
            writer.Text(filter.Filter).Byte(filter.Options);
        }

        return writer.ToPacket(0x82);
    }

    public static byte[] Unsubscribe(ProtocolVersion version, int packetId, IEnumerable<string> filters)
    {
        var writer = new WireWriter().Short(packetId);
        PropertiesOf(writer, version == ProtocolVersion.Mqtt5, null);
        foreach (var filter in filters)
        {
            writer.Text(filter);
        }

        return writer.ToPacket(0xA2);
    }

    public static byte[] PingRequest() => [0xC0, 0];

    public static byte[] Disconnect(
        ProtocolVersion version, ReasonCode reason = ReasonCode.Success, PropertyCollection? properties = null)
    {
        return version == ProtocolVersion.Mqtt5 && (reason != ReasonCode.Success || properties is not null)
            ? new WireWriter().Byte((int)reason).Properties(properties).ToPacket(0xE0)
            : [0xE0, 0];
    }

    public static byte[] Auth(ReasonCode reason, PropertyCollection properties) =>
        new WireWriter().Byte((int)reason).Properties(properties).ToPacket(0xF0);

    private static void PropertiesOf(WireWriter writer, bool isVersion5, PropertyCollection? properties)
    {
        if (isVersion5)
        {
            writer.Properties(properties);
        }
    }
}
