using Broker.Grains.Retained;

namespace Broker.Grains.Sessions;

/// <summary>
/// What a session subscribed to by one filter before a SUBSCRIBE or UNSUBSCRIBE changed it, to be put back when the store
/// refuses the change: the client is told that nothing has changed, so nothing must have.
/// </summary>
/// <param name="Options">Null when there was no subscription.</param>
/// <param name="ChangedBy">See <see cref="Subscription.ChangedBy"/>.</param>
/// <param name="Replay">What was left of the retained messages that the subscription began with; null for nothing.</param>
public readonly record struct SubscriptionBackup(
    string Filter, byte? Options, uint Identifier, long? ChangedBy = null, RetainedReplay? Replay = null);
