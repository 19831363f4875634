using System.Collections.Concurrent;

namespace Broker.Grains.Cluster;

/// <summary>
/// The sessions that this silo has taken over from one dead silo. Messages that a silo had under way to the dead one come
/// here late, marked as recovered; until they have all come, that silo's other messages pass these sessions over, because
/// the same messages are among the recovered ones, in their order (promise 3).
/// </summary>
public sealed class Adoption
{
    private readonly ConcurrentDictionary<SiloAddress, bool> _unsettled = new();

    internal Adoption(SiloAddress from, IEnumerable<SiloAddress> unsettled)
    {
        From = from;
        foreach (var silo in unsettled)
        {
            _unsettled[silo] = true;
        }
    }

    /// <summary>The dead silo.</summary>
    public SiloAddress From { get; }

    /// <summary>Whether messages of any silo may be delivered as usual.</summary>
    public bool IsOver => _unsettled.IsEmpty;

    /// <summary>Whether messages of a silo may be delivered as usual.</summary>
    public bool Admits(SiloAddress origin) => !_unsettled.ContainsKey(origin);

    internal void Settled(SiloAddress origin) => _unsettled.TryRemove(origin, out _);
}
