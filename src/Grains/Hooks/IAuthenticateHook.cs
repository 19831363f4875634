using Broker.Protocol;

namespace Broker.Grains.Hooks;

/// <summary>
/// <c>client.authenticate</c>: asked before the broker's own users, for a CONNECT without an Authentication Method. The first that allows or denies
/// decides. <see cref="IHook.OnFailure"/> closed denies.
/// </summary>
public interface IAuthenticateHook : IHook
{
    /// <summary>Whether the client is who it says.</summary>
    /// <param name="client">With the user name that the client claims.</param>
    /// <param name="password">Null when CONNECT has none. Valid until the answer only.</param>
    /// <param name="cancellationToken">Fires when the time limit is over and nobody waits for the answer any more.</param>
    ValueTask<HookDecision> OnAuthenticateAsync(
        HookClient client, ReadOnlyMemory<byte>? password, ProtocolVersion version, CancellationToken cancellationToken);
}
