using Broker.Grains.Recovery;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// Brings the session of a client that connects here to this silo. From a living silo (<see cref="SessionTransfer"/>):
/// <list type="number">
/// <item>that silo closes the client's connection; the session stays there and goes on collecting;</item>
/// <item>all silos finish what they have under way, to wherever: what the former one has stored for it does not come here any more;</item>
/// <item>it arrives here: routable, announced to all silos, but what comes for it waits;</item>
/// <item>all silos finish what they have under way to the former one, and that one commits what it has for it;</item>
/// <item>this silo takes it in the store, unless its client is back over there, which has raised the epoch: from here on the former
/// one's writes for it are refused by the epoch;</item>
/// <item>what waited is delivered, without what the former silo had stored; the former one forgets it.</item>
/// </list>
/// Whatever fails before the fifth step leaves the session where it was.
/// </summary>
public sealed partial class SessionMoves(
    ClusterStore store,
    Peers peers,
    LocalInterest local,
    RemoteRouting routing,
    SessionTable sessions,
    SessionLifecycle lifecycle,
    StateRecovery recovery,
    SessionAdoption adoption,
    SessionTransfer transfer,
    SiloTime time,
    ILogger<SessionMoves> logger)
{
    // Longer than it takes to find a silo dead: a client waits rather than being turned away.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    // Beyond it the database is away, and a client had better try another silo.
    private static readonly TimeSpan OutageTime = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(400);

    private readonly ILogger _logger = logger;

    /// <summary>Returns when the client's session is here, if it has any. The caller sees to it that one CONNECT does so at a time.</summary>
    /// <param name="cleanStart">Whether that CONNECT will end it.</param>
    /// <exception cref="StoreException">It cannot be brought here now.</exception>
    public async Task BringHereAsync(string clientId, bool cleanStart)
    {
        using var patience = new CancellationTokenSource(Patience);
        SessionPlace? place = null;
        for (var pause = Pause; !IsHere(clientId); pause = pause < LongestPause ? pause * 2 : pause)
        {
            if (time.OutFor > OutageTime)
            {
                throw new StoreException("The database does not answer: nobody can tell where the session is.");
            }

            try
            {
                place = await store.FindAsync(clientId, patience.Token);
                if (place is null || await TryBringAsync(clientId, place, cleanStart, patience.Token))
                {
                    return;
                }
            }
            catch (Exception error)
            {
                NotMoved(clientId, place?.Silo, error.Message);
            }

            if (patience.IsCancellationRequested)
            {
                throw new StoreException($"The session of '{clientId}' cannot be brought here from {place?.Silo}.");
            }

            await Task.Delay(pause, CancellationToken.None);
        }
    }

    private bool IsHere(string clientId) =>
        sessions.Find(clientId) is { IsDeparting: false, State: not SessionState.Arriving };

    private async Task<bool> TryBringAsync(string clientId, SessionPlace place, bool cleanStart, CancellationToken cancellationToken)
    {
        switch (sessions.Find(clientId))
        {
            case { State: SessionState.Arriving }:
                // By an earlier attempt.
                return false;
            case { IsDeparting: true } when store.IsOwn(place):
                // It was to leave, and nobody has taken it.
                return true;
            case { IsDeparting: true } departing:
                sessions.Discard(departing);
                break;
            default:
                break;
        }

        if (place.IsFenced || store.IsOwn(place))
        {
            return await TakeAsync(clientId, place, cancellationToken);
        }

        if (place.Silo is null || peers.Get(place.Silo) is not { IsDead: false } peer)
        {
            // Dead, but not out of its time yet.
            return false;
        }

        // What is kept for a dead silo may go anywhere: no session moves before that is settled (InFlightDrain).
        await routing.SettledAsync().WaitAsync(cancellationToken);
        return await transfer.BringAsync(clientId, place, peer, cleanStart, cancellationToken);
    }

    /// <summary>From a dead silo: the session is in the store and nowhere else.</summary>
    private async Task<bool> TakeAsync(string clientId, SessionPlace place, CancellationToken cancellationToken)
    {
        // Not ended halfway because this client does not wait any longer.
        await adoption.AdoptAllAsync().WaitAsync(cancellationToken);
        if (sessions.Find(clientId) is not null || place.Number == 0)
        {
            await local.AnnouncedAsync().WaitAsync(cancellationToken);
            return true;
        }

        if (!store.IsOwn(place) || (await store.ClaimAsync([(place.Number, place.Owner, place.Epoch)], cancellationToken)).Count == 0)
        {
            return false;
        }

        // In the store it is this silo's already, from a move that was not finished.
        recovery.AddSessions(await store.LoadAsync([place.Number], cancellationToken), static _ => { });
        await local.AnnouncedAsync().WaitAsync(cancellationToken);
        return true;
    }

    /// <summary>This silo's part of <c>ISiloInbox.Detach</c>.</summary>
    public async Task<SiloAddress?> DetachAsync(string clientId)
    {
        if (sessions.Find(clientId) is { State: SessionState.Arriving })
        {
            // What waits in it is nowhere else yet.
            throw new InvalidOperationException($"The session of '{clientId}' is on its way here.");
        }

        if (sessions.Find(clientId) is null)
        {
            // In the store it may be this silo's already, and about to be here.
            await adoption.WhenIdleAsync(CancellationToken.None);
        }

        var session = lifecycle.Depart(clientId, SessionTransfer.IsCleanStart);

        // What this silo has posted for the client is in the store before the new one posts, and so is the epoch that says that
        // it departs: the new silo reads it, and takes the session only as long as it stays.
        await lifecycle.FlushAsync(clientId);
        return session?.Adoption?.From;
    }

    /// <summary>This silo's part of <c>ISiloInbox.Flush</c>.</summary>
    /// <exception cref="InvalidOperationException">The client has come back to here meanwhile: the session stays.</exception>
    public async Task FlushAsync(string clientId)
    {
        await lifecycle.FlushAsync(clientId);
        if (sessions.Find(clientId) is { IsDeparting: false })
        {
            throw new InvalidOperationException($"The client '{clientId}' is connected here again.");
        }
    }

    [LoggerMessage(350, LogLevel.Information, "The session of '{ClientId}' could not be brought here from {Silo} yet: {Cause}")]
    private partial void NotMoved(string clientId, SiloAddress? silo, string cause);
}
