using System.Text;
using Broker.Grains.Hooks;
using Broker.Protocol;

namespace Broker.Gateway.Auth;

/// <summary>Asks the hooks of <c>client.authorize</c> before the broker's own rules.</summary>
internal sealed class HookAuthorizer(HookJudges judges, IAuthorizer rules) : IAuthorizer
{
    /// <inheritdoc />
    public bool IsOpen => false;

    /// <inheritdoc />
    public bool TryAuthorize(
        ClientIdentity client, AccessKind kind, ReadOnlySpan<byte> topic, QualityOfService qos, bool retain, out bool allowed)
    {
        allowed = false;
        return false;
    }

    /// <inheritdoc />
    public async ValueTask<bool> AuthorizeAsync(
        ClientIdentity client,
        AccessKind kind,
        ReadOnlyMemory<byte> topic,
        QualityOfService qos,
        bool retain,
        CancellationToken cancellationToken)
    {
        var asked = new HookClient(client.ClientId, client.UserName, RemoteAddress.Known(client.Address));
        return await judges.AuthorizeAsync(asked, kind == AccessKind.Publish, Encoding.UTF8.GetString(topic.Span)) switch
        {
            HookDecision.Allow => true,
            HookDecision.Deny => false,
            _ => await rules.AuthorizeAsync(client, kind, topic, qos, retain, cancellationToken),
        };
    }
}
