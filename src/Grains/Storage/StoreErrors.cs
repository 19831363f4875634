using Broker.Grains.Storage.Postgres;
using Broker.Protocol;

namespace Broker.Grains.Storage;

/// <summary>What an MQTT client is told when the store refuses its work.</summary>
public static class StoreErrors
{
    /// <summary>Reason Code for PUBACK, PUBREC, SUBACK and UNSUBACK: all of them allow it (MQTT 5.0 section 2.4).</summary>
    public static ReasonCode ReasonFor(Exception error) =>
        error is StoreException { IsFull: true } ? ReasonCode.QuotaExceeded : ReasonCode.ImplementationSpecificError;

    /// <summary>Whether an error tells of a database that does not answer now, and not of something else.</summary>
    public static bool IsOutage(Exception error) => PostgresFault.IsOutage(error);
}
