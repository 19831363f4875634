using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Broker.Grains.Topics;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// What this silo does when others die. Until it is done, publishes that match the interest of a dead silo wait; then the
/// living silos have its sessions, all of them have said so to all, and what was under way to it has gone there.
/// </summary>
public sealed partial class DeadSilos(
    Peers peers,
    LocalInterest local,
    RemoteInterest interest,
    RemoteRouting routing,
    SessionAdoption adoption,
    Adoptions adoptions,
    InboxDelivery delivery,
    RetainedSync retained,
    SharedGroups shared,
    LiveSilos silos,
    ClusterStore store,
    RoutingGate gate,
    ILogger<DeadSilos> logger) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(1);

    // A silo that has many sessions to adopt is asked again.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(3);

    private readonly ILogger _logger = logger;
    private readonly Lock _gate = new();
    private bool _isRunning;
    private volatile bool _isDisposed;

    /// <summary>Begins to take notice of deaths; the silo has its sessions.</summary>
    public void Open()
    {
        peers.Died += Died;
        Died();
    }

    /// <summary>Another silo asks whether this one is done with its part; see <c>ISiloInbox.Settle</c>.</summary>
    public async Task SettleAsync(IReadOnlyList<SiloAddress> dead)
    {
        if (dead.FirstOrDefault(d => !silos.IsGone(d)) is { } unknown)
        {
            throw new InvalidOperationException($"Silo {unknown} is not known to be dead here yet.");
        }

        await adoption.AdoptAllAsync();
        await retained.WriteAsync(dead);

        // Not without limit: one of those that are told may be dying as well, and only the next round gives it up.
        await local.AnnouncedAsync().WaitAsync(AnswerTime);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _isDisposed = true;
        peers.Died -= Died;
    }

    private void Died()
    {
        var dead = peers.All.Where(static p => p.IsDead).ToList();
        dead.ForEach(peer => adoptions.Died(peer.Address));
        lock (_gate)
        {
            if (dead.Count == 0 || _isRunning)
            {
                return;
            }

            _isRunning = true;
            routing.BeginSettling();
        }

        _ = Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        while (!_isDisposed)
        {
            List<Peer> dead;
            lock (_gate)
            {
                // Inside the lock: whoever dies from here on finds that nobody is running.
                dead = [.. peers.All.Where(static p => p.IsDead)];
                if (dead.Count == 0)
                {
                    _isRunning = false;
                    routing.EndSettling();
                    return;
                }
            }

            try
            {
                if (!await TrySettleAsync(dead))
                {
                    await Task.Delay(Pause);
                }
            }
            catch (Exception error)
            {
                // The database or a silo does not answer: nobody is let go before they have.
                NotSettled(error.Message);
                await Task.Delay(Pause);
            }
        }
    }

    private async Task<bool> TrySettleAsync(List<Peer> dead)
    {
        SiloAddress[] addresses = [.. dead.Select(static p => p.Address)];
        if (!await store.AreFencedAsync(addresses, CancellationToken.None))
        {
            return false;
        }

        dead.ForEach(peers.Gone);
        foreach (var peer in dead)
        {
            await shared.SiloGoneAsync(peer);
        }

        await SettleAsync(addresses);
        var living = peers.Living.ToList();
        await Task.WhenAll(living.Select(p => p.Inbox.Settle(addresses))).WaitAsync(AnswerTime);
        foreach (var silo in await store.LivingAsync(CancellationToken.None))
        {
            // One that is just joining may have adopted sessions before this silo has heard of it.
            peers.Get(silo);
        }

        if (peers.Living.Any(p => !living.Contains(p)) || living.Exists(static p => p.IsDead))
        {
            return false;
        }

        await RecoverAsync(dead, addresses);
        dead.ForEach(shared.SiloSettled);
        dead.ForEach(peer => Settled(peer.Address));
        _ = retained.ReadAsync(addresses, () => _isDisposed);
        return true;
    }

    /// <summary>Sends on what was under way to dead silos, all of it before the first publish that does not wait for them any more.</summary>
    private async Task RecoverAsync(List<Peer> dead, SiloAddress[] addresses)
    {
        // Their edges give back what is in flight when that call has ended. Publishes that did not wait have been handed over.
        await Task.WhenAll(dead.Select(static p => p.Edge.DrainedAsync()));
        await gate.PassedAsync();
        while (!gate.TryWithoutUnheld(() => peers.TryRemove(dead, Forget)))
        {
            foreach (var peer in dead)
            {
                await RecoverAsync(peer, dead, peer.TakeKept());
            }

            await Task.Delay(Look);
        }

        void Forget()
        {
            // In this order: whoever finds no interest of theirs finds their sessions admitted.
            adoptions.Settled(silos.Local, addresses);
            dead.ForEach(interest.Drop);
        }
    }

    private async Task RecoverAsync(Peer peer, List<Peer> settling, List<Outgoing> items)
    {
        var here = new List<(ApplicationMessage Message, PublishRecord Record)>();
        foreach (var item in items)
        {
            routing.Recover(peer, settling, item, (message, record) =>
            {
                record.Ask();
                here.Add((message, record));
            });
        }

        await delivery.DeliverRecoveredAsync(here);
    }

    [LoggerMessage(340, LogLevel.Debug, "Dead silos are not settled yet: {Cause}")]
    private partial void NotSettled(string cause);

    [LoggerMessage(341, LogLevel.Warning, "Silo {Silo} has died; its sessions are with the living silos now")]
    private partial void Settled(SiloAddress silo);
}
