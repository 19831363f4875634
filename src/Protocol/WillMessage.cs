namespace Broker.Protocol;

/// <summary>The Will of a CONNECT (MQTT section 3.1.2.5).</summary>
public sealed record WillMessage
{
    public required string Topic { get; init; }

    public byte[] Payload { get; init; } = [];

    public QualityOfService Qos { get; init; }

    public bool Retain { get; init; }

    /// <summary>Will Delay Interval in seconds.</summary>
    public uint DelayInterval { get; init; }

    /// <summary>Seconds, counted from publication; null for none.</summary>
    public uint? MessageExpiryInterval { get; init; }

    /// <summary>Properties that the published message will have, encoded, without length.</summary>
    public byte[] Properties { get; init; } = [];

    /// <summary>Payload Format Indicator is 1: the payload is said to be UTF-8.</summary>
    public bool PayloadIsUtf8
    {
        get
        {
            var properties = new PropertyReader(Properties, Packets.Will);
            while (properties.Next())
            {
                if (properties.Id == PropertyId.PayloadFormatIndicator)
                {
                    return properties.Number == 1;
                }
            }

            return false;
        }
    }
}
