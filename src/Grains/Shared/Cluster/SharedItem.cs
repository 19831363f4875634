using Broker.Grains.Interfaces.Shared;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;

namespace Broker.Grains.Shared.Cluster;

/// <summary>What waits on the edge of groups to another silo.</summary>
internal abstract class SharedItem
{
    // Of what has no payload, about.
    private const int SmallSize = 64;

    /// <summary>Bytes that it counts on the edge.</summary>
    public virtual int Size => SmallSize;

    /// <summary>The silo is gone and has not taken it, as far as is known.</summary>
    public virtual void Undeliverable()
    {
    }
}

/// <summary>A message that is lent to a member there; its group is told of the silo's death and takes it back.</summary>
/// <param name="loan">The message at the group; null at QoS 0.</param>
internal sealed class LoanItem(long group, RemoteMember member, ApplicationMessage message, Delivery? loan) : SharedItem
{
    public ApplicationMessage Message => message;

    public override int Size => message.Size + base.Size;

    public SharedLoan ToLoan() => new()
    {
        Group = group,
        Sequence = loan?.Sequence ?? 0,
        ClientId = member.ClientId,
        Qos = loan?.Qos ?? Protocol.QualityOfService.AtMostOnce,
        Retain = loan?.Retain ?? message.Retain,
        WasSent = loan?.WasSent ?? false,
        Message = loan is { RowState: not RowState.None } ? loan.MessageNumber : 0,
    };
}

/// <summary>
/// Ends of loans, for the silo that has lent them. They arrive together, so that what a member returns is back before any of it is
/// lent again.
/// </summary>
/// <param name="guest">Keeps them for the silo that has the group next; null when nobody does.</param>
internal sealed class SettlementItem(SharedSettlement[] settlements, GuestGroup? guest) : SharedItem
{
    // Of a settlement on its way, about.
    private const int SettlementSize = 24;

    public SharedSettlement[] Settlements => settlements;

    public override int Size => base.Size + (settlements.Length * SettlementSize);

    public override void Undeliverable() => guest?.Keep(settlements);
}

/// <summary>The members that a group on the other silo has here, as they are when it is sent.</summary>
/// <param name="members">How many there are now, for its size, which must not change while it waits.</param>
internal sealed class MembersItem(GuestGroup guest, int members) : SharedItem
{
    // Of a member, about.
    private const int MemberSize = 48;

    private long _version;

    public override int Size => base.Size + (members * MemberSize);

    public SharedMembers Take() => guest.Tell(out _version);

    public void Told(IReadOnlyCollection<long> unknown) => guest.Told(_version, unknown);
}
