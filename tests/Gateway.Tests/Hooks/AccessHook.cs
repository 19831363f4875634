using Broker.Grains.Hooks;
using Broker.Protocol;

namespace Broker.Gateway.Tests.Hooks;

/// <summary>Knows one user; lets it publish to one topic; throws at a topic that begins with <c>broken</c>.</summary>
internal sealed class AccessHook : IAuthenticateHook, IAuthorizeHook
{
    public HookFailure OnFailure => HookFailure.Closed;

    public ValueTask<HookDecision> OnAuthenticateAsync(
        HookClient client, ReadOnlyMemory<byte>? password, ProtocolVersion version, CancellationToken cancellationToken) => new(
        client.UserName is null ? HookDecision.Next
        : client.UserName == "known" && password?.Span.SequenceEqual("secret"u8) == true ? HookDecision.Allow
        : HookDecision.Deny);

    public ValueTask<HookDecision> OnAuthorizeAsync(HookClient client, bool isPublish, string topic, CancellationToken cancellationToken) =>
        topic.StartsWith("broken", StringComparison.Ordinal) ? throw new InvalidOperationException("broken")
        : new ValueTask<HookDecision>(isPublish && topic == "closed" ? HookDecision.Deny : HookDecision.Next);
}
