using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Topics;
using Broker.Grains.Cluster;
using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Broker.Grains.Sessions;

/// <summary>
/// The owner of a client's session: makes its CONNECTs, its loading and its expiry happen one after the other. The
/// session itself is <see cref="Session"/>; activating the grain reads and writes nothing, so that looking at it is free.
/// </summary>
[PreferLocalPlacement]
public sealed class SessionGrain(
    SessionLifecycle lifecycle,
    SessionTable table,
    LiveSilos silos,
    SessionLog log,
    SessionMetrics metrics,
    SessionMoves? moves = null)
    : Grain, ISessionGrain, IGrainMigrationParticipant
{
    private const string PaceKey = "pace";

    // As long as a client is connected the grain stays where the connection is: it is what the next CONNECT finds.
    private static readonly TimeSpan Stay = TimeSpan.FromDays(1);

    // The grain has moved for a CONNECT that is on its way here: another one lets it come first, or two would pull the grain to
    // and fro and none have it.
    private const long OnItsWay = 1000;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private TakeoverPace _pace;
    private long? _movedAt;

    // The connection of an accepted CONNECT comes to its session a moment later.
    private long? _grantedAt;

    private string ClientId => GrainKeys.ClientId(this.GetPrimaryKeyString());

    /// <inheritdoc />
    public async Task<SessionGrant> Connect(SessionClaim claim)
    {
        if (moves is null)
        {
            return await lifecycle.ConnectAsync(ClientId, claim);
        }

        if (!silos.Local.Equals(claim.Silo))
        {
            if (MustWait() is { Ticks: > 0 } wait)
            {
                return new SessionGrant(SessionPresent: false, Epoch: 0) { IsMoving = true, RetryAfter = wait };
            }

            lifecycle.Depart(ClientId, claim.CleanStart);
            RequestContext.Set(IPlacementDirector.PlacementHintKey, claim.Silo!);
            this.MigrateOnIdle();
            return new SessionGrant(SessionPresent: false, Epoch: 0) { IsMoving = true };
        }

        _movedAt = null;
        await moves.BringHereAsync(ClientId, claim.CleanStart);
        DelayDeactivation(Stay);
        var grant = await lifecycle.ConnectAsync(ClientId, claim);
        _grantedAt = Environment.TickCount64;
        return grant;
    }

    /// <inheritdoc />
    public void OnDehydrate(IDehydrationContext dehydrationContext) =>
        dehydrationContext.TryAddValue(PaceKey, _pace.Turned(Environment.TickCount64));

    /// <inheritdoc />
    public void OnRehydrate(IRehydrationContext rehydrationContext)
    {
        if (rehydrationContext.TryGetValue<TakeoverPace>(PaceKey, out var pace))
        {
            _pace = pace.Turned(Environment.TickCount64);
        }

        _movedAt = Environment.TickCount64;
    }

    /// <inheritdoc />
    public Task Stand() => Task.CompletedTask;

    /// <inheritdoc />
    public Task<bool> Expire() => lifecycle.ExpireAsync(ClientId);

    /// <inheritdoc />
    public Task<SessionSnapshot> GetState() =>
        Task.FromResult(table.Find(ClientId)?.Snapshot() ?? new SessionSnapshot { ClientId = ClientId });

    /// <summary>The grain goes when nobody has asked for it for a while; a session without a client then leaves memory too.</summary>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        var session = table.Find(ClientId);
        session?.TryUnload();
        if (session is not null && reason.ReasonCode == DeactivationReasonCode.ActivationIdle && MustStay(session))
        {
            GrainFactory.GetGrain<ISessionGrain>(this.GetPrimaryKeyString()).Stand().Ignore();
        }

        return Task.CompletedTask;
    }

    // Beside a connection in a cluster; else as long as there is a session that could not leave memory yet.
    private bool MustStay(Session session) =>
        session.IsConnected ? moves is not null : session is { IsDurable: true, State: SessionState.Ready };

    /// <summary>
    /// How long a CONNECT on another silo has to wait; zero when it goes on. Who finds nobody connected waits for nobody.
    /// </summary>
    private TimeSpan MustWait()
    {
        var now = Environment.TickCount64;
        if (now - _movedAt < OnItsWay)
        {
            return Look;
        }

        if (table.Find(ClientId) is { IsConnected: true } || now - _grantedAt < OnItsWay)
        {
            var wait = _pace.Wait(now);
            if (wait > TimeSpan.Zero)
            {
                metrics.DelayedTakeover();
                return wait;
            }
        }

        _pace = _pace.Next(now);
        if (_pace.Count == TakeoverPace.Free + 1)
        {
            log.Fight(ClientId);
        }

        return TimeSpan.Zero;
    }
}
