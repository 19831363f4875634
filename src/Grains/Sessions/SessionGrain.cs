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
public sealed class SessionGrain(SessionLifecycle lifecycle, SessionTable table, LiveSilos silos, SessionMoves? moves = null)
    : Grain, ISessionGrain
{
    // As long as a client is connected the grain stays where the connection is: it is what the next CONNECT finds.
    private static readonly TimeSpan Stay = TimeSpan.FromDays(1);

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
            lifecycle.Depart(ClientId);
            RequestContext.Set(IPlacementDirector.PlacementHintKey, claim.Silo!);
            this.MigrateOnIdle();
            return new SessionGrant(SessionPresent: false, Epoch: 0) { IsMoving = true };
        }

        await moves.BringHereAsync(ClientId);
        DelayDeactivation(Stay);
        return await lifecycle.ConnectAsync(ClientId, claim);
    }

    /// <inheritdoc />
    public Task Stand() => Task.CompletedTask;

    /// <inheritdoc />
    public Task Wake() => table.Find(ClientId)?.LoadAsync(CancellationToken.None) ?? Task.CompletedTask;

    /// <inheritdoc />
    public Task<bool> Expire() => Task.FromResult(lifecycle.Expire(ClientId));

    /// <inheritdoc />
    public Task<SessionSnapshot> GetState() =>
        Task.FromResult(table.Find(ClientId)?.Snapshot() ?? new SessionSnapshot { ClientId = ClientId });

    /// <summary>The grain goes when nobody has asked for it for a while; a session without a client then leaves memory too.</summary>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        var session = table.Find(ClientId);
        if (moves is not null && session is { IsConnected: true } && reason.ReasonCode == DeactivationReasonCode.ActivationIdle)
        {
            GrainFactory.GetGrain<ISessionGrain>(this.GetPrimaryKeyString()).Stand().Ignore();
        }

        session?.TryUnload();
        return Task.CompletedTask;
    }
}
