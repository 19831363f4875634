using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Sessions;
using Orleans.Placement;

namespace Broker.Grains.Sessions;

/// <summary>
/// The owner of a client's session: makes its CONNECTs, its loading and its expiry happen one after the other. The
/// session itself is <see cref="Session"/>; activating the grain reads and writes nothing, so that looking at it is free.
/// </summary>
[PreferLocalPlacement]
public sealed class SessionGrain(SessionLifecycle lifecycle, SessionTable table) : Grain, ISessionGrain
{
    private string ClientId => GrainKeys.ClientId(this.GetPrimaryKeyString());

    /// <inheritdoc />
    public Task<SessionGrant> Connect(SessionClaim claim) => lifecycle.ConnectAsync(ClientId, claim);

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
        table.Find(ClientId)?.TryUnload();
        return Task.CompletedTask;
    }
}
