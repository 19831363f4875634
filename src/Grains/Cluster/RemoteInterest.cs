using System.Text;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Routing;

namespace Broker.Grains.Cluster;

/// <summary>
/// Which silos have sessions that subscribe to which filters, as they have told: with the index of its own sessions, a
/// silo's replica of the filter index of the whole cluster.
/// </summary>
public sealed class RemoteInterest
{
    private readonly FilterIndex<Peer> _index = new();

    /// <summary>Filters that some other silo is interested in.</summary>
    public int FilterCount => _index.FilterCount;

    /// <summary>Whether any of them begins with <c>$</c>.</summary>
    public bool HasReserved => _index.HasReserved;

    /// <summary>Silos that are interested in a topic; a silo is in it once for each of its filters that matches.</summary>
    public ReadOnlySpan<Peer> Match(ReadOnlySpan<byte> topic, MatchBuffer<Peer> buffer) => _index.Match(topic, buffer);

    /// <summary>Takes an update, unless a newer one has come before.</summary>
    internal void Apply(Peer peer, InterestUpdate update)
    {
        lock (peer.Filters)
        {
            if (update.Number <= peer.LastUpdate || peer.IsSettled)
            {
                return;
            }

            peer.LastUpdate = update.Number;
            foreach (var filter in update.Added)
            {
                if (peer.Filters.Add(filter))
                {
                    _index.Add(Encoding.UTF8.GetBytes(filter), peer);
                }
            }

            foreach (var filter in update.Removed)
            {
                if (peer.Filters.Remove(filter))
                {
                    _index.Remove(Encoding.UTF8.GetBytes(filter), peer);
                }
            }
        }

        if (update.IsComplete)
        {
            peer.SetComplete();
        }
    }

    /// <summary>A dead silo's interest goes.</summary>
    internal void Drop(Peer peer)
    {
        lock (peer.Filters)
        {
            peer.IsSettled = true;
            foreach (var filter in peer.Filters)
            {
                _index.Remove(Encoding.UTF8.GetBytes(filter), peer);
            }

            peer.Filters.Clear();
        }

        peer.SetComplete();
    }
}
