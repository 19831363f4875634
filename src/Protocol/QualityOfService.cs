namespace Broker.Protocol;

/// <summary>Quality of Service of a delivery (MQTT section 4.3).</summary>
public enum QualityOfService : byte
{
    /// <summary>QoS 0: no acknowledgement, may be lost.</summary>
    AtMostOnce = 0,

    /// <summary>QoS 1: acknowledged with PUBACK, may arrive more than once.</summary>
    AtLeastOnce = 1,

    /// <summary>QoS 2: PUBREC, PUBREL, PUBCOMP; arrives once.</summary>
    ExactlyOnce = 2,
}
