using Broker.Grains.Recovery;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Topics;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// Brings the session of a client that connects here to this silo. From a living silo:
/// <list type="number">
/// <item>that silo closes the client's connection; the session stays there and goes on collecting;</item>
/// <item>all silos finish what they have under way, to wherever: what the former one has stored for it does not come here any more;</item>
/// <item>it arrives here: routable, announced to all silos, but what comes for it waits;</item>
/// <item>all silos finish what they have under way to the former one, and that one commits what it has for it;</item>
/// <item>this silo takes it in the store: from here on the former one's writes for it are refused by the epoch;</item>
/// <item>what waited is delivered, without what the former silo had stored; the former one forgets it.</item>
/// </list>
/// Whatever fails before the fifth step leaves the session where it was.
/// </summary>
public sealed partial class SessionMoves(
    ClusterStore store,
    Peers peers,
    LocalInterest local,
    SessionTable sessions,
    SessionLifecycle lifecycle,
    StateRecovery recovery,
    Adoptions adoptions,
    SessionAdoption adoption,
    RecentMessages recent,
    RoutingGate gate,
    SiloTime time,
    ILogger<SessionMoves> logger)
{
    // Longer than it takes to find a silo dead: a client waits rather than being turned away.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    // A silo that does not answer may be dying; then the session is taken another way.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(3);

    // Beyond it the database is away, and a client had better try another silo.
    private static readonly TimeSpan OutageTime = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly ILogger _logger = logger;

    /// <summary>Returns when the client's session is here, if it has any. The caller sees to it that one CONNECT does so at a time.</summary>
    /// <exception cref="StoreException">It cannot be brought here now.</exception>
    public async Task BringHereAsync(string clientId)
    {
        if (!IsHere(clientId) && time.OutFor > OutageTime)
        {
            throw new StoreException("The database does not answer: nobody can tell where the session is.");
        }

        using var patience = new CancellationTokenSource(Patience);
        while (!IsHere(clientId) && await store.FindAsync(clientId, patience.Token) is { } place)
        {
            if (sessions.Find(clientId) is { IsDeparting: true } departing)
            {
                if (store.IsOwn(place))
                {
                    // It was to leave, and nobody has taken it.
                    return;
                }

                sessions.Discard(departing);
            }

            try
            {
                if (sessions.Find(clientId) is not { State: SessionState.Arriving } && await TryBringAsync(clientId, place, patience.Token))
                {
                    return;
                }
            }
            catch (Exception error) when (!patience.IsCancellationRequested)
            {
                NotMoved(clientId, place.Silo, error.Message);
            }

            if (patience.IsCancellationRequested)
            {
                throw new StoreException($"The session of '{clientId}' cannot be brought here from {place.Silo}.");
            }

            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private bool IsHere(string clientId) =>
        sessions.Find(clientId) is { IsDeparting: false, State: not SessionState.Arriving };

    private async Task<bool> TryBringAsync(string clientId, SessionPlace place, CancellationToken cancellationToken)
    {
        if (place.IsFenced || store.IsOwn(place))
        {
            return await TakeAsync(clientId, place, cancellationToken);
        }

        if (place.Silo is null || peers.Get(place.Silo) is not { IsDead: false } peer)
        {
            // Dead, but not out of its time yet.
            return false;
        }

        var former = await peer.Inbox.Detach(clientId).WaitAsync(AnswerTime, cancellationToken);
        if (place.Number == 0)
        {
            // A Will without a session: it was that silo's to publish or to withdraw.
            return true;
        }

        await MoveAsync(clientId, place, peer, former, cancellationToken);
        return true;
    }

    /// <summary>From a dead silo: the session is in the store and nowhere else.</summary>
    private async Task<bool> TakeAsync(string clientId, SessionPlace place, CancellationToken cancellationToken)
    {
        // Not ended halfway because this client does not wait any longer.
        await adoption.AdoptAllAsync(CancellationToken.None).WaitAsync(cancellationToken);
        if (sessions.Find(clientId) is not null || place.Number == 0)
        {
            await local.AnnouncedAsync().WaitAsync(cancellationToken);
            return true;
        }

        if (!store.IsOwn(place) || !await store.ClaimAsync(place.Number, place.Owner, cancellationToken))
        {
            return false;
        }

        // In the store it is this silo's already, from a move that was not finished.
        recovery.AddSessions(await store.LoadAsync([place.Number], cancellationToken), static _ => { });
        await local.AnnouncedAsync().WaitAsync(cancellationToken);
        return true;
    }

    /// <param name="former">Dead silo that the session came from before, if messages may still be under way to there.</param>
    private async Task MoveAsync(
        string clientId, SessionPlace place, Peer peer, SiloAddress? former, CancellationToken cancellationToken)
    {
        var before = await store.LoadAsync([place.Number], cancellationToken);
        if (before.Sessions.Count == 0)
        {
            return;
        }

        // Else a message that the former silo had stored by now, and that comes here late for another subscriber, would be taken
        // for a new one. It also brings what the client has published over there to the others before it repeats any of it here.
        await Task.WhenAll(peers.Living.Select(static p => p.Inbox.Drain()).Append(DrainAsync())).WaitAsync(AnswerTime, cancellationToken);
        var stored = before.Queues.GetValueOrDefault(place.Number).LastSequence;
        var session = recovery.AddArriving(before, former is null ? null : adoptions.Of(former));
        try
        {
            await local.AnnouncedAsync().WaitAsync(cancellationToken);
            await Task.WhenAll(peers.Living.Select(p => p.Inbox.DrainTowards(peer.Address)).Append(DrainAsync(peer.Address)))
                .WaitAsync(AnswerTime, cancellationToken);
            await peer.Inbox.Flush(clientId).WaitAsync(AnswerTime, cancellationToken);
        }
        catch
        {
            sessions.Discard(session);
            throw;
        }

        // From here on it goes on whether or not the client still waits: what comes for the session waits in it.
        if (!await FinishAsync(clientId, place, stored, session, peer).WaitAsync(cancellationToken))
        {
            throw new StoreException($"The session of '{clientId}' has another owner.");
        }
    }

    private async Task<bool> FinishAsync(string clientId, SessionPlace place, long stored, Session session, Peer former)
    {
        if (!await UntilAnsweredAsync(() => ClaimAsync(clientId, place)))
        {
            sessions.Discard(session);
            return false;
        }

        await UntilAnsweredAsync(async () =>
        {
            var state = await store.LoadAsync([place.Number], CancellationToken.None);
            recent.Moved(clientId, await store.StoredIdsAsync(place.Number, stored, CancellationToken.None));
            recovery.Arrive(session, state, recent);
            return true;
        });
        former.Inbox.Forget(clientId).Ignore();
        return true;
    }

    /// <summary>Also true when an earlier attempt had succeeded without an answer.</summary>
    private async Task<bool> ClaimAsync(string clientId, SessionPlace place) =>
        await store.ClaimAsync(place.Number, place.Owner, CancellationToken.None)
            || (await store.FindAsync(clientId, CancellationToken.None) is { } now && now.Number == place.Number && store.IsOwn(now));

    /// <summary>Tries again as long as the database does not answer: nobody else can know what it has done.</summary>
    private static async Task<bool> UntilAnsweredAsync(Func<Task<bool>> attempt)
    {
        while (true)
        {
            try
            {
                return await attempt();
            }
            catch (StoreException)
            {
                await Task.Delay(Pause);
            }
        }
    }

    /// <summary>This silo's part of <c>ISiloInbox.Detach</c>.</summary>
    public async Task<SiloAddress?> DetachAsync(string clientId)
    {
        if (sessions.Find(clientId) is null)
        {
            // In the store it may be this silo's already, and about to be here.
            await adoption.WhenIdleAsync(CancellationToken.None);
        }

        if (lifecycle.Depart(clientId) is { } session)
        {
            return session.Adoption?.From;
        }

        // What this silo has posted for the client is in the store before the new one posts.
        await lifecycle.FlushAsync(clientId);
        return null;
    }

    /// <summary>
    /// This silo's part of <c>ISiloInbox.DrainTowards</c>. Only the former silo of a session matters to its move: what is under way to the
    /// new one may wait for the very session, and so for the move.
    /// </summary>
    public async Task DrainAsync(SiloAddress silo)
    {
        await gate.PassedAsync();
        RefuseIfKept();
        await (peers.Find(silo)?.Edge.DrainedAsync() ?? Task.CompletedTask);
        RefuseIfKept();
    }

    /// <summary>This silo's part of <c>ISiloInbox.Drain</c>.</summary>
    public async Task DrainAsync()
    {
        await gate.PassedAsync();
        RefuseIfKept();
        await Task.WhenAll(peers.Living.Select(static p => p.Edge.DrainedAsync()));

        // The edge of a silo that has died meanwhile has given back what it had.
        RefuseIfKept();
    }

    /// <summary>What is kept for a dead silo is under way, and nobody can say yet to where: the move is tried again when it is settled.</summary>
    private void RefuseIfKept()
    {
        if (peers.All.FirstOrDefault(static p => p.IsDead) is { } dead)
        {
            throw new InvalidOperationException($"Silo {dead.Address} is dead and not settled yet.");
        }
    }

    [LoggerMessage(350, LogLevel.Information, "The session of '{ClientId}' could not be brought here from {Silo} yet: {Cause}")]
    private partial void NotMoved(string clientId, SiloAddress? silo, string cause);
}
