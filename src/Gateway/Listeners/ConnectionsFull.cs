using Broker.Grains.Alarms;
using Broker.Grains.Interfaces.Alarms;

namespace Broker.Gateway.Listeners;

/// <summary>The alarm of a silo that refuses clients because it, or one of its endpoints, has as many as it may: over when it has refused none for a while.</summary>
internal sealed class ConnectionsFull(ConnectionGate gate, ILocalSiloDetails silo, TimeProvider time) : IAlarmCause
{
    // Clients that were refused come again within seconds: as long as there are such, it is one alarm.
    internal static readonly TimeSpan Calm = TimeSpan.FromMinutes(1);

    private readonly string _id = AlarmIds.ConnectionsFull + silo.Name;
    private long _seen;
    private long? _refusedAt;

    /// <inheritdoc />
    public void Look(AlarmService alarms)
    {
        var refused = gate.TooMany;
        if (refused > _seen)
        {
            (_seen, _refusedAt) = (refused, time.GetTimestamp());
            alarms.Set(
                true, _id, AlarmSeverity.Warning, "Connections refused",
                () => $"all connections that {silo.Name} or one of its endpoints may have (MaxConnections of Broker:Listeners) are taken");
        }
        else if (_refusedAt is not { } at || time.GetElapsedTime(at) >= Calm)
        {
            alarms.Clear(_id);
        }
    }
}
