using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Topics;
using Broker.Protocol;

namespace Broker.Grains.Cluster;

/// <summary>Sessions that a message of one of this silo's own publishers passes over.</summary>
public sealed class LocalArrivals(Adoptions adoptions, RecentMessages recent, LiveSilos silos)
{
    /// <summary>Null when there are none, which is nearly always.</summary>
    public Predicate<Session>? PassOver(ref PublishSource source)
    {
        var adopted = adoptions.PassOver(silos.Local);
        if (!recent.HasMoved || source.Qos == QualityOfService.AtMostOnce)
        {
            return adopted;
        }

        var id = source.Materialize().Id;
        return session => adopted?.Invoke(session) == true || recent.HadBefore(session.ClientId, id);
    }
}
