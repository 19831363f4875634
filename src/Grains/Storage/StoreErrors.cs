using Broker.Protocol;

namespace Broker.Grains.Storage;

/// <summary>What an MQTT client is told when the store refuses its work.</summary>
public static class StoreErrors
{
    /// <summary>Reason Code for PUBACK, PUBREC, SUBACK and UNSUBACK: all of them allow it (MQTT 5.0 section 2.4).</summary>
    public static ReasonCode ReasonFor(Exception error) =>
        error is StoreFullException ? ReasonCode.QuotaExceeded : ReasonCode.ImplementationSpecificError;
}

/// <summary>The store has no room for the write.</summary>
public sealed class StoreFullException(string message, Exception? inner = null) : Exception(message, inner);
