using System.Text;
using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

/// <summary>The moment at which a dead silo is settled: until then what matches its interest is kept for it, from then on nothing is.</summary>
public sealed class SettlementTests : IDisposable
{
    private readonly RecordingInbox _inbox = new();
    private readonly MemoryStore _store = new(new MemoryRows());
    private readonly OtherSilos _others;
    private readonly Peer _dead;
    private readonly Peer _living;

    public SettlementTests()
    {
        _others = new OtherSilos(_store, _inbox);
        _dead = _others.Add(2, "a");
        _living = _others.Add(3, "a");
    }

    [Fact]
    public async Task A_publish_that_no_longer_waits_for_a_dead_silo_comes_to_the_living_behind_the_note_that_it_is_settled()
    {
        _others.Die(_dead);
        var adoptions = new Adoptions(_others.Peers, _others.Silos);
        var adoption = adoptions.Of(_dead.Address)!;
        Assert.False(adoption.Admits(_others.Silos.Local));

        Assert.True(_others.Peers.TryRemove([_dead], () =>
        {
            adoptions.Settled(_others.Silos.Local, [_dead.Address]);
            _others.Interest.Drop(_dead);
            Publish("first after the end");
        }));

        await _living.Edge.DrainedAsync();
        Assert.Equal([$"settled {_dead.Address}", "first after the end"], _inbox.Received);
        Assert.True(adoption.Admits(_others.Silos.Local));
    }

    [Fact]
    public void A_dead_silo_is_not_settled_while_something_is_kept_for_it()
    {
        _others.Die(_dead);
        Publish("kept");

        Assert.False(_others.Peers.TryRemove([_dead], static () => throw new InvalidOperationException("Not to be forgotten yet.")));
        Assert.Single(_dead.TakeKept());
        Assert.True(_others.Peers.TryRemove([_dead], () => _others.Interest.Drop(_dead)));
        Assert.Null(_others.Peers.Find(_dead.Address));
    }

    [Fact]
    public async Task What_was_kept_for_one_of_two_dead_silos_goes_to_the_living_only()
    {
        List<Peer> dead = [_dead, _others.Add(5, "a")];
        dead.ForEach(_others.Die);
        Publish("kept");
        foreach (var peer in dead)
        {
            var kept = Assert.Single(peer.TakeKept());
            _others.Routing.Recover(peer, dead, kept, static (_, _) => { });
        }

        Assert.True(_others.Peers.TryRemove(dead, () => dead.ForEach(_others.Interest.Drop)));
        await _living.Edge.DrainedAsync();
        Assert.Equal(["kept", "kept", "kept", $"settled {_dead.Address}", $"settled {dead[1].Address}"], _inbox.Received);
    }

    [Fact]
    public async Task A_silo_that_comes_later_is_told_as_well()
    {
        _others.Die(_dead);
        Assert.True(_others.Peers.TryRemove([_dead], () => _others.Interest.Drop(_dead)));
        await _living.Edge.DrainedAsync();

        await _others.Add(4).Edge.DrainedAsync();
        Assert.Equal([$"settled {_dead.Address}", $"settled {_dead.Address}"], _inbox.Received);
    }

    [Fact]
    public async Task Nothing_is_settled_while_a_Will_is_being_routed()
    {
        var phase = _others.Gate.EnterUnheld();
        Assert.False(_others.Gate.TryWithoutUnheld(static () => true));
        _others.Gate.ExitUnheld(phase);

        Assert.True(_others.Gate.TryWithoutUnheld(static () => true));
        await _others.Gate.PassedAsync();
    }

    public void Dispose() => _others.Dispose();

    private void Publish(string payload)
    {
        var message = new ApplicationMessage([(byte)'a', .. Encoding.UTF8.GetBytes(payload)], 1, 0)
        {
            Id = new MessageId(1, (ulong)payload.Length), Qos = QualityOfService.AtLeastOnce,
        };
        var source = new PublishSource(message);
        PublishRecord? record = null;
        _others.Routing.Forward(ref source, ref record);
    }
}
