namespace Broker.Protocol;

/// <summary>Protocol Version of a connection, as CONNECT carries it (MQTT 3.1.1 and 5.0, section 3.1.2.2).</summary>
public enum ProtocolVersion : byte
{
    /// <summary>MQTT 3.1, protocol name <c>MQIsdp</c>.</summary>
    Mqtt31 = 3,

    /// <summary>MQTT 3.1.1.</summary>
    Mqtt311 = 4,

    /// <summary>MQTT 5.0.</summary>
    Mqtt5 = 5,
}
