using Broker.Protocol;

namespace Broker.Grains.Hooks;

/// <summary>What a hook says of a publish.</summary>
public readonly struct PublishVerdict
{
    private PublishVerdict(HookMessage? message, ReasonCode reason)
    {
        Message = message;
        Reason = reason;
    }

    /// <summary>The message to go on with; null when it is dropped or refused.</summary>
    public HookMessage? Message { get; }

    /// <summary>What the publisher is told when there is no <see cref="Message"/>.</summary>
    public ReasonCode Reason { get; }

    /// <summary>Goes on with the message, changed or not.</summary>
    public static PublishVerdict Continue(HookMessage message) => new(message, ReasonCode.Success);

    /// <summary>Nobody gets it; the publisher is not told. Counted in the loss ledger.</summary>
    public static PublishVerdict Drop() => new(null, ReasonCode.Success);

    /// <summary>Nobody gets it, and the publisher is told: 5.0 clients by the reason code, 3.x clients of QoS 1 and 2 are disconnected.</summary>
    /// <param name="reason">A reason code that PUBACK may carry.</param>
    public static PublishVerdict Refuse(ReasonCode reason = ReasonCode.NotAuthorized) => new(
        null, reason >= ReasonCode.UnspecifiedError && ReasonCodes.IsAllowed(reason, PacketType.PubAck) ? reason : ReasonCode.NotAuthorized);
}
