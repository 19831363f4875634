using Broker.Protocol;

namespace Broker.Grains.Hooks;

/// <summary><c>client.subscribe</c> (fold): asked for each Topic Filter of a SUBSCRIBE, before rights are looked at.</summary>
public interface ISubscribeHook : IHook
{
    /// <summary>Changes or refuses a subscription, or lets it be.</summary>
    /// <param name="cancellationToken">Fires when the time limit is over and nobody waits for the answer any more.</param>
    ValueTask<SubscribeVerdict> OnSubscribeAsync(HookClient client, SubscriptionRequest request, CancellationToken cancellationToken);
}
