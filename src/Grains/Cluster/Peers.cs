using System.Collections.Concurrent;
using Broker.Grains.Edges;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Topics;

namespace Broker.Grains.Cluster;

/// <summary>The other silos, from the moment this one hears of them until they are settled.</summary>
public sealed class Peers : IDisposable
{
    private readonly ConcurrentDictionary<SiloAddress, Peer> _peers = new();
    private readonly Func<SiloAddress, ISiloInbox> _inboxOf;
    private readonly LiveSilos _silos;
    private readonly LocalInterest _local;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();

    // Dead silos that nothing is under way to from here: settled, or dead before this one heard of them. Others may still
    // wait to be told so.
    private readonly HashSet<SiloAddress> _settled = [];

    // All that were ever peers.
    private readonly HashSet<SiloAddress> _known = [];
    private bool _isOpen;

    /// <param name="inboxOf">How a silo is reached.</param>
    public Peers(Func<SiloAddress, ISiloInbox> inboxOf, LiveSilos silos, LocalInterest local, TimeProvider time)
    {
        _inboxOf = inboxOf;
        _silos = silos;
        _local = local;
        _time = time;
        silos.Changed += Refresh;
    }

    /// <summary>A silo was declared dead; on any thread.</summary>
    public event Action? Died;

    /// <summary>Figures of the edges to all silos.</summary>
    public EdgeMetrics Metrics { get; } = new("inbox");

    /// <summary>Figures of the edges of groups to all silos.</summary>
    public EdgeMetrics SharedMetrics { get; } = new("shared");

    /// <summary>All that are not settled.</summary>
    public IEnumerable<Peer> All => _peers.Select(static p => p.Value);

    /// <summary>Those that live, as far as this silo knows.</summary>
    public IEnumerable<Peer> Living => All.Where(static p => !p.IsDead);

    /// <summary>Whether there is no other silo.</summary>
    public bool IsAlone => _peers.IsEmpty;

    /// <summary>Begins to take notice of other silos.</summary>
    public void Open()
    {
        _isOpen = true;
        Refresh();
    }

    public Peer? Find(SiloAddress silo) => _peers.GetValueOrDefault(silo);

    /// <summary>The silo, also when the membership has not told of it yet; null when it is known to be dead.</summary>
    public Peer? Get(SiloAddress silo)
    {
        if (_peers.TryGetValue(silo, out var known))
        {
            return known;
        }

        lock (_gate)
        {
            if (silo.Equals(_silos.Local) || _silos.IsGone(silo) || _peers.TryGetValue(silo, out known))
            {
                return known;
            }

            var peer = new Peer(silo, _inboxOf(silo), _silos.Local, Metrics, SharedMetrics, _time);

            if (_settled.Count > 0)
            {
                peer.Post(new Outgoing(default, null, Settled: [.. _settled]));
            }

            _known.Add(silo);
            _peers[silo] = peer;
            _local.Add(peer.Interest);
            return peer;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _silos.Changed -= Refresh;
        foreach (var peer in All)
        {
            _local.Remove(peer.Interest);
            peer.SetGone();
        }

        Metrics.Dispose();
        SharedMetrics.Dispose();
    }

    /// <summary>A dead silo is out of its time: it acknowledges nothing any more, and nobody waits for it.</summary>
    internal void Gone(Peer peer)
    {
        peer.SetGone();
        _local.Remove(peer.Interest);
    }

    /// <summary>Dead silos are settled, unless something is kept for one. Every living silo is told so, also one that comes later.</summary>
    /// <param name="forget">Forgets their interest; called when all are told, because publishes do not wait from then on.</param>
    internal bool TryRemove(IReadOnlyCollection<Peer> dead, Action forget)
    {
        lock (_gate)
        {
            if (dead.Any(static p => p.HasKept))
            {
                return false;
            }

            SiloAddress[] addresses = [.. dead.Select(static p => p.Address)];
            foreach (var peer in Living)
            {
                peer.Post(new Outgoing(default, null, Settled: addresses));
            }

            foreach (var silo in addresses)
            {
                _peers.TryRemove(silo, out _);
                _settled.Add(silo);
            }

            forget();
            return true;
        }
    }

    private void NoteUnknownDead()
    {
        lock (_gate)
        {
            SiloAddress[] fresh = [.. _silos.Dead.Where(d => !_known.Contains(d) && _settled.Add(d))];
            if (fresh.Length > 0)
            {
                foreach (var peer in Living)
                {
                    peer.Post(new Outgoing(default, null, Settled: fresh));
                }
            }
        }
    }

    private void Refresh()
    {
        if (!_isOpen)
        {
            return;
        }

        foreach (var silo in _silos.All.Where(s => !s.Equals(_silos.Local)))
        {
            Get(silo);
        }

        NoteUnknownDead();

        var anyDied = false;
        foreach (var peer in Living.Where(p => _silos.IsGone(p.Address)).ToList())
        {
            peer.SetDead();
            anyDied = true;
        }

        if (anyDied)
        {
            Died?.Invoke();
        }
    }
}
