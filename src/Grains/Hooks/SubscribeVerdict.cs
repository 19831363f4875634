using Broker.Protocol;

namespace Broker.Grains.Hooks;

/// <summary>What a hook says of a Topic Filter in a SUBSCRIBE.</summary>
public readonly struct SubscribeVerdict
{
    private SubscribeVerdict(SubscriptionRequest? request, ReasonCode reason)
    {
        Request = request;
        Reason = reason;
    }

    /// <summary>The subscription to go on with; null when it is refused.</summary>
    public SubscriptionRequest? Request { get; }

    /// <summary>What SUBACK says when there is no <see cref="Request"/>; 3.x clients are told 0x80.</summary>
    public ReasonCode Reason { get; }

    /// <summary>Goes on with the subscription, changed or not. Rights are looked at afterwards.</summary>
    public static SubscribeVerdict Continue(in SubscriptionRequest request) => new(request, ReasonCode.Success);

    /// <summary>The client does not get it.</summary>
    /// <param name="reason">A reason code that SUBACK may carry.</param>
    public static SubscribeVerdict Refuse(ReasonCode reason = ReasonCode.NotAuthorized) => new(
        null, reason >= ReasonCode.UnspecifiedError && ReasonCodes.IsAllowed(reason, PacketType.SubAck) ? reason : ReasonCode.NotAuthorized);
}
