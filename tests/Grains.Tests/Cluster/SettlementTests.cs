using System.Net;
using System.Text;
using Broker.Grains.Cluster;
using Broker.Grains.Diagnostics;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Grains.Topics;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

/// <summary>The moment at which a dead silo is settled: until then what matches its interest is kept for it, from then on nothing is.</summary>
public sealed class SettlementTests : IDisposable
{
    private readonly SiloAddress _dead = Silo(2);
    private readonly SiloAddress _living = Silo(3);
    private readonly SiloStatuses _statuses = new(Silo(1));
    private readonly RecordingInbox _inbox = new();
    private readonly RemoteInterest _interest = new();
    private readonly RoutingGate _gate = new();
    private readonly DropLedger _drops = new(TimeProvider.System, new LedgerOptions());
    private readonly MemoryStore _store = new(new MemoryRows());
    private readonly LiveSilos _silos;
    private readonly Peers _peers;
    private readonly RemoteRouting _routing;

    public SettlementTests()
    {
        _silos = new LiveSilos(_statuses);
        _peers = new Peers(_ => _inbox, _silos, new LocalInterest(), TimeProvider.System);
        _routing = new RemoteRouting(_peers, _interest, _drops, _store, _gate, new RepeatableMessages());
        _statuses.Set(_dead, SiloStatus.Active);
        _statuses.Set(_living, SiloStatus.Active);
        _peers.Open();
        _interest.Apply(_peers.Find(_dead)!, new InterestUpdate { Silo = _dead, Number = 1, Added = ["a"], Removed = [] });
        _interest.Apply(_peers.Find(_living)!, new InterestUpdate { Silo = _living, Number = 1, Added = ["a"], Removed = [] });
    }

    [Fact]
    public async Task A_publish_that_no_longer_waits_for_a_dead_silo_comes_to_the_living_behind_the_note_that_it_is_settled()
    {
        var dead = Die();
        var adoptions = new Adoptions(_peers, _silos);
        var adoption = adoptions.Of(_dead)!;
        Assert.False(adoption.Admits(_silos.Local));

        Assert.True(_peers.TryRemove([dead], () =>
        {
            adoptions.Settled(_silos.Local, [_dead]);
            _interest.Drop(dead);
            Publish("first after the end");
        }));

        await _peers.Find(_living)!.Edge.DrainedAsync();
        Assert.Equal([$"settled {_dead}", "first after the end"], _inbox.Received);
        Assert.True(adoption.Admits(_silos.Local));
    }

    [Fact]
    public void A_dead_silo_is_not_settled_while_something_is_kept_for_it()
    {
        var dead = Die();
        Publish("kept");

        Assert.False(_peers.TryRemove([dead], static () => throw new InvalidOperationException("Not to be forgotten yet.")));
        Assert.Single(dead.TakeKept());
        Assert.True(_peers.TryRemove([dead], () => _interest.Drop(dead)));
        Assert.Null(_peers.Find(_dead));
    }

    [Fact]
    public async Task What_was_kept_for_one_of_two_dead_silos_goes_to_the_living_only()
    {
        var other = Silo(5);
        _statuses.Set(other, SiloStatus.Active);
        _interest.Apply(_peers.Find(other)!, new InterestUpdate { Silo = other, Number = 1, Added = ["a"], Removed = [] });
        List<Peer> dead = [Die(), Die(other)];
        Publish("kept");
        foreach (var peer in dead)
        {
            var kept = Assert.Single(peer.TakeKept());
            _routing.Recover(peer, dead, kept, static (_, _) => { });
        }

        Assert.True(_peers.TryRemove(dead, () => dead.ForEach(_interest.Drop)));
        await _peers.Find(_living)!.Edge.DrainedAsync();
        Assert.Equal(["kept", "kept", "kept", $"settled {_dead}", $"settled {other}"], _inbox.Received);
    }

    [Fact]
    public async Task A_silo_that_comes_later_is_told_as_well()
    {
        var dead = Die();
        Assert.True(_peers.TryRemove([dead], () => _interest.Drop(dead)));
        await _peers.Find(_living)!.Edge.DrainedAsync();

        _statuses.Set(Silo(4), SiloStatus.Active);
        await _peers.Find(Silo(4))!.Edge.DrainedAsync();
        Assert.Equal([$"settled {_dead}", $"settled {_dead}"], _inbox.Received);
    }

    [Fact]
    public async Task Nothing_is_settled_while_a_Will_is_being_routed()
    {
        var phase = _gate.EnterUnheld();
        Assert.False(_gate.TryWithoutUnheld(static () => true));
        _gate.ExitUnheld(phase);

        Assert.True(_gate.TryWithoutUnheld(static () => true));
        await _gate.PassedAsync();
    }

    public void Dispose()
    {
        _peers.Dispose();
        _silos.Dispose();
        _drops.Dispose();
    }

    private static SiloAddress Silo(byte host) => SiloAddress.New(new IPEndPoint(new IPAddress([10, 0, 0, host]), 1), 1);

    private Peer Die() => Die(_dead);

    private Peer Die(SiloAddress silo)
    {
        var peer = _peers.Find(silo)!;
        _statuses.Set(silo, SiloStatus.Dead);
        Assert.True(peer.IsDead);
        _peers.Gone(peer);
        return peer;
    }

    private void Publish(string payload)
    {
        var message = new ApplicationMessage([(byte)'a', .. Encoding.UTF8.GetBytes(payload)], 1, 0)
        {
            Id = new MessageId(1, (ulong)payload.Length), Qos = QualityOfService.AtLeastOnce,
        };
        var source = new PublishSource(message);
        PublishRecord? record = null;
        _routing.Forward(ref source, ref record);
    }
}
