namespace Broker.Grains.Hooks;

/// <summary>
/// <c>message.publish</c> (fold): asked for every publish of a client that may publish it, and for its Will at CONNECT. Gets what the hook
/// before it has made of the message. A publish that is repeated and was routed before is not asked about again.
/// </summary>
public interface IPublishHook : IHook
{
    /// <summary>Changes, drops or refuses a message, or lets it be.</summary>
    /// <param name="cancellationToken">Fires when the time limit is over and nobody waits for the answer any more.</param>
    ValueTask<PublishVerdict> OnPublishAsync(HookClient client, HookMessage message, CancellationToken cancellationToken);
}
