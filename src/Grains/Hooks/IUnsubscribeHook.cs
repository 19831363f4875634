namespace Broker.Grains.Hooks;

/// <summary><c>client.unsubscribe</c> (fold): asked for each Topic Filter of an UNSUBSCRIBE, so that what a subscribe hook changed is found again.</summary>
public interface IUnsubscribeHook : IHook
{
    /// <summary>The filter to end; the one that was given lets it be.</summary>
    /// <param name="cancellationToken">Fires when the time limit is over and nobody waits for the answer any more.</param>
    ValueTask<string> OnUnsubscribeAsync(HookClient client, string filter, CancellationToken cancellationToken);
}
