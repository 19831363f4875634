using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>What MQTT 5.0 leaves to the server. Section <c>Broker:Mqtt</c>.</summary>
public sealed class MqttOptions
{
    /// <summary>
    /// Response Information for clients that ask for it, a prefix of topics for answers; <c>${clientid}</c> stands for
    /// the Client Identifier as one level. Empty: none is given.
    /// </summary>
    [AllowedText("a text, in which ${clientid} stands for the Client Identifier")]
    public string ResponseInformation { get; set; } = "response/${clientid}";

    /// <summary>
    /// Whether payloads that are said to be UTF-8 (Payload Format Indicator 1) are looked at, and refused with
    /// Payload format invalid (0x99) when they are not.
    /// </summary>
    public bool ValidatePayloadFormat { get; set; }
}
