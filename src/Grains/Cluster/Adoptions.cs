using Broker.Grains.Sessions;
using Broker.Grains.Topics;

namespace Broker.Grains.Cluster;

/// <summary>The adoptions of this silo, and which silo has settled which dead one.</summary>
public sealed class Adoptions(Peers peers, LiveSilos silos)
{
    private readonly Dictionary<SiloAddress, Adoption> _byDead = [];
    private readonly HashSet<(SiloAddress Origin, SiloAddress Dead)> _settled = [];
    private readonly Lock _gate = new();
    private volatile bool _isActive;

    /// <summary>Whether any session may have to be passed over.</summary>
    public bool IsActive => _isActive;

    /// <summary>The adoption that a session of a dead silo belongs to; null when nothing of it can be under way.</summary>
    public Adoption? Of(SiloAddress dead)
    {
        lock (_gate)
        {
            if (!_byDead.TryGetValue(dead, out var adoption))
            {
                // Nothing was ever under way from here to a silo that was no peer.
                var origins = peers.Living.Select(static p => p.Address);
                origins = peers.Find(dead) is null ? origins : origins.Append(silos.Local);
                adoption = new Adoption(dead, origins.Where(s => !_settled.Contains((s, dead))));
                if (adoption.IsOver)
                {
                    return null;
                }

                _byDead[dead] = adoption;
                _isActive = true;
            }

            return adoption;
        }
    }

    /// <summary>Everything that a silo had under way to dead ones has come.</summary>
    public void Settled(SiloAddress origin, IReadOnlyCollection<SiloAddress> dead)
    {
        lock (_gate)
        {
            foreach (var silo in dead)
            {
                _settled.Add((origin, silo));
                _byDead.GetValueOrDefault(silo)?.Settled(origin);
            }

            Sweep();
        }
    }

    /// <summary>A silo has died: nothing comes from it any more.</summary>
    public void Died(SiloAddress silo)
    {
        lock (_gate)
        {
            foreach (var adoption in _byDead.Values)
            {
                adoption.Settled(silo);
            }

            Sweep();
        }
    }

    /// <summary>Sessions that a message from a silo passes over; null when there are none.</summary>
    public Predicate<Session>? PassOver(SiloAddress origin) =>
        _isActive ? session => session.Adoption is { } adoption && !adoption.Admits(origin) : null;

    private void Sweep()
    {
        foreach (var over in _byDead.Values.Where(static a => a.IsOver).ToList())
        {
            _byDead.Remove(over.From);
        }

        _isActive = _byDead.Count > 0;
    }
}
