using System.Net;
using Broker.Grains.Cluster;
using Broker.Grains.Diagnostics;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Options;
using Broker.Grains.Storage;
using Broker.Grains.Topics;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

/// <summary>Silos beside this one, all with one inbox, and the way of messages there.</summary>
internal sealed class OtherSilos : IDisposable
{
    private readonly SiloStatuses _statuses = new(Address(1));
    private readonly DropLedger _drops = new(TimeProvider.System, new LedgerOptions());

    public OtherSilos(IMessageStore store, ISiloInbox inbox)
    {
        Silos = new LiveSilos(_statuses);
        Peers = new Peers(_ => inbox, Silos, new LocalInterest(), TimeProvider.System);
        Routing = new RemoteRouting(Peers, Interest, _drops, store, Gate, new RepeatableMessages());
        Peers.Open();
    }

    public LiveSilos Silos { get; }

    public Peers Peers { get; }

    public RemoteInterest Interest { get; } = new();

    public RoutingGate Gate { get; } = new();

    public RemoteRouting Routing { get; }

    public static SiloAddress Address(byte host) => SiloAddress.New(new IPEndPoint(new IPAddress([10, 0, 0, host]), 1), 1);

    /// <summary>A silo comes, and is interested in these filters.</summary>
    public Peer Add(byte host, params string[] filters)
    {
        _statuses.Set(Address(host), SiloStatus.Active);
        var peer = Peers.Find(Address(host))!;
        if (filters.Length > 0)
        {
            Interest.Apply(peer, new InterestUpdate { Silo = peer.Address, Number = 1, Added = filters, Removed = [] });
        }

        return peer;
    }

    /// <summary>A silo is declared dead, and out of its time.</summary>
    public void Die(Peer peer)
    {
        _statuses.Set(peer.Address, SiloStatus.Dead);
        Assert.True(peer.IsDead);
        Peers.Gone(peer);
    }

    public void Dispose()
    {
        Peers.Dispose();
        Silos.Dispose();
        _drops.Dispose();
    }
}
