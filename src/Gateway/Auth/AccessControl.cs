using Broker.Protocol;

namespace Broker.Gateway.Auth;

/// <summary>
/// The question whether a client may publish or subscribe, with a short cut for the broker without rules: there, a topic
/// that does not begin with <c>$</c> or <c>#</c> costs a field and a byte.
/// </summary>
public sealed class AccessControl(IAuthorizer authorizer)
{
    /// <summary>Answers from memory. False: <see cref="AuthorizeAsync"/> must be awaited.</summary>
    /// <inheritdoc cref="IAuthorizer.TryAuthorize" />
    public bool TryAuthorize(
        ClientIdentity client,
        AccessKind kind,
        ReadOnlySpan<byte> topic,
        QualityOfService qos,
        bool retain,
        out bool allowed)
    {
        if (authorizer.IsOpen && topic is not [(byte)'$' or (byte)'#', ..])
        {
            allowed = true;
            return true;
        }

        return authorizer.TryAuthorize(client, kind, topic, qos, retain, out allowed);
    }

    /// <inheritdoc cref="IAuthorizer.AuthorizeAsync" />
    public ValueTask<bool> AuthorizeAsync(
        ClientIdentity client,
        AccessKind kind,
        ReadOnlyMemory<byte> topic,
        QualityOfService qos,
        bool retain,
        CancellationToken cancellationToken) =>
        authorizer.AuthorizeAsync(client, kind, topic, qos, retain, cancellationToken);
}
