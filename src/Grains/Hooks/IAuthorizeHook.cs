namespace Broker.Grains.Hooks;

/// <summary>
/// <c>client.authorize</c>: asked before the broker's own rules, for each publish, Will and subscription. The first that allows or denies decides.
/// <see cref="IHook.OnFailure"/> closed denies.
/// </summary>
public interface IAuthorizeHook : IHook
{
    /// <summary>Whether the client may.</summary>
    /// <param name="isPublish">To publish to a topic name, or to subscribe to a Topic Filter.</param>
    /// <param name="topic">Topic name or Topic Filter.</param>
    /// <param name="cancellationToken">Fires when the time limit is over and nobody waits for the answer any more.</param>
    ValueTask<HookDecision> OnAuthorizeAsync(HookClient client, bool isPublish, string topic, CancellationToken cancellationToken);
}
