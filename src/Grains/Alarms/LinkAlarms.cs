using System.Globalization;
using Broker.Grains.Interfaces.Alarms;

namespace Broker.Grains.Alarms;

/// <summary>
/// The alarm of a living silo that does not answer another one. It has one owner, whoever saw it first; when that one has its answer and others
/// have not, the next of them raises it again.
/// </summary>
public sealed class LinkAlarms(AlarmService alarms, ILocalSiloDetails local, ISiloStatusOracle oracle)
{
    /// <summary>Says how it is with a silo. Every second: costs a look into the alarms when nothing has changed.</summary>
    /// <param name="silence">For how long it has not answered; null when it does.</param>
    public void Note(SiloAddress silo, TimeSpan? silence)
    {
        if (!oracle.TryGetSiloName(silo, out var name))
        {
            return;
        }

        var id = AlarmIds.SiloSilent + name;
        if (silence is { } time)
        {
            alarms.Set(true, id, AlarmSeverity.Error, "Silo does not answer", () => string.Create(
                CultureInfo.InvariantCulture,
                $"{name} ({silo}) lives and has not answered {local.Name} for {time.TotalSeconds:F0} s: messages between the two wait"));
        }
        else if (alarms.IsRaised(id))
        {
            alarms.Clear(alarms.Raised().FindAll(a => a.Id == id && a.Node == local.Name));
        }
    }
}
