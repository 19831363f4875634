using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Grains.Shared;

/// <summary>A member whose session is on this silo.</summary>
internal sealed class LocalMember(ILender lender, Subscription subscription) : GroupMember(subscription.Session.ClientId)
{
    private volatile ILender _lender = lender;

    /// <summary>The group, or what stands here for one on another silo. Changes when the group's session comes here, or goes.</summary>
    public ILender Lender
    {
        get => _lender;
        set => _lender = value;
    }

    public Subscription Subscription => subscription;

    /// <summary>Whether the session still subscribes to it. Guarded by the session's lock.</summary>
    public bool IsJoined { get; set; }

    public override bool IsDurable => subscription.Session.IsDurable;

    public override QualityOfService Granted => subscription.Qos;

    public override SendStatus TryLend(scoped in PublishSource source, Delivery loan) =>
        subscription.Session.TryBorrow(this, source, loan);

    public override SendStatus TrySendOnce(scoped in PublishSource source, bool retain) =>
        subscription.Session.TryTakeOnce(this, source, retain);
}
