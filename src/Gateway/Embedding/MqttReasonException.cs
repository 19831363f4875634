using Broker.Protocol;

namespace Broker.Gateway.Embedding;

/// <summary>The broker has refused or ended something, for a reason that MQTT has a code for.</summary>
public sealed class MqttReasonException : Exception
{
    public MqttReasonException(ReasonCode reason, string message)
        : base($"{message}: {reason} (0x{(int)reason:X2})") => Reason = reason;

    /// <summary>Reason code of MQTT 5.0, 0x80 or above.</summary>
    public ReasonCode Reason { get; }
}
