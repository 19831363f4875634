using System.Diagnostics;
using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Sessions;

namespace Broker.Gateway.Connections;

/// <summary>How whoever acts for a client gets its session: the short way on this silo, or by the client's Session grain.</summary>
internal static class SessionClaims
{
    // 1 s in all: a grain moves in less than a millisecond.
    private const int MaxMoves = 20;

    // Of a CONNECT whose client id is fought for: longer than any client that has it is left alone.
    private static readonly TimeSpan MaxTurnWait = TimeSpan.FromSeconds(12);

    // The connection that has the id may end meanwhile.
    private static readonly TimeSpan TurnLook = TimeSpan.FromMilliseconds(100);

    // It takes 2 to 3 s to find a dead silo dead. Beyond this a way between living silos is cut, and another silo may reach all.
    private static readonly TimeSpan MaxRejection = TimeSpan.FromSeconds(5);

    /// <summary>Resumes or starts the session; an earlier connection no longer acts for the client when it returns.</summary>
    /// <param name="isOver">Whether the client does not wait any more: then its session is not taken from where it is.</param>
    /// <exception cref="OperationCanceledException">The client does not wait any more.</exception>
    /// <exception cref="Exception">Nothing was promised: the store refused, or the session is wanted elsewhere at the same time.</exception>
    public static async ValueTask<(Session? Session, SessionGrant Grant)> ClaimAsync(
        ConnectionServices services, string clientId, SessionClaim claim, Func<bool> isOver, CancellationToken cancellationToken)
    {
        if (!services.IsCluster && claim.ExpiryInterval == 0 && claim.Will is null && services.Lifecycle.MayStartAnew(clientId)
            && services.Sessions.TryAddEphemeral(clientId) is { } session)
        {
            services.Lifecycle.TellBegun(clientId, isResumed: false, isDurable: false);
            return (session, new SessionGrant(SessionPresent: false, session.Epoch));
        }

        var owner = services.Grains.GetGrain<ISessionGrain>(GrainKeys.Session(clientId));
        var waited = TimeSpan.Zero;
        var clock = Stopwatch.StartNew();
        for (var attempt = 1; ; attempt++)
        {
            if (isOver())
            {
                throw new OperationCanceledException();
            }

            TimeSpan pause;
            try
            {
                var grant = await owner.Connect(claim);
                if (!grant.IsMoving)
                {
                    return (services.Sessions.Find(clientId), grant);
                }

                pause = grant.RetryAfter;
            }
            catch (OrleansMessageRejectionException rejection)
                when (rejection is not SiloUnavailableException && clock.Elapsed < MaxRejection)
            {
                // It has come to nobody: a silo has died, and the living do not know it yet. Of one that was unavailable
                // while it had the call nobody can say that.
                pause = TurnLook;
            }

            if (pause > TimeSpan.Zero && waited < MaxTurnWait)
            {
                // Here and not in the grain, which others wait for.
                pause = pause < TurnLook ? pause : TurnLook;
                await Task.Delay(pause, cancellationToken);
                waited += pause;
                attempt--;
                continue;
            }

            // Two clients that fight for one id come here again and again: each time they wait a little longer.
            if (attempt == MaxMoves)
            {
                throw new TimeoutException($"The session of '{clientId}' is wanted on another silo at the same time.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(attempt * 5), cancellationToken);
        }
    }
}
