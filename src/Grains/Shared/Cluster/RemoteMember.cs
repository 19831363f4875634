using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Shared;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Grains.Shared.Cluster;

/// <summary>
/// A member whose session is on another silo. How much room it has is reckoned here: its window, less what it has of this
/// group. What it has from elsewhere is not known here; what does not fit then waits in its session.
/// </summary>
internal sealed class RemoteMember(SharedGroup group, Peer silo, SharedMemberState state) : GroupMember(state.ClientId)
{
    private SharedMemberState _state = state;

    public Peer Silo => silo;

    public override bool IsDurable => Volatile.Read(ref _state).IsDurable;

    public override QualityOfService Granted => Volatile.Read(ref _state).Granted;

    /// <summary>Takes in what its silo says. Under the lock of the group's session.</summary>
    public void Update(SharedMemberState state)
    {
        Volatile.Write(ref _state, state);
        IsAway = !state.IsConnected;
        LoanEnded();
    }

    /// <inheritdoc />
    public override void LoanEnded() => HasRoom = !IsAway && Lent < _state.Window;

    /// <inheritdoc />
    public override SendStatus TryLend(scoped in PublishSource source, Delivery loan)
    {
        if (!silo.PostShared(new LoanItem(group.Session.Number, this, loan.Message!, loan)))
        {
            IsAway = true;
            HasRoom = false;
            return SendStatus.Closed;
        }

        group.NoteLent(this, loan);
        HasRoom = Lent + 1 < _state.Window;
        return SendStatus.Sent;
    }

    /// <inheritdoc />
    public override SendStatus TrySendOnce(scoped in PublishSource source, bool retain)
    {
        var kept = source;
        return silo.IsSharedFull ? SendStatus.Full
            : silo.PostShared(new LoanItem(group.Session.Number, this, kept.Materialize(), null)) ? SendStatus.Sent : SendStatus.Closed;
    }
}
