using Broker.Protocol;

namespace Broker.Gateway.Auth;

/// <summary>
/// The rules of a broker without rules: an accepted client may do everything, except publish to names that begin with
/// <c>$</c>. Those belong to the broker ([MQTT-4.7.2-1] leaves their use to the server), and a client that could write
/// them could pose as it under <c>$SYS</c>.
/// </summary>
internal sealed class DefaultAuthorizer : IAuthorizer
{
    /// <inheritdoc />
    public bool IsOpen => true;

    /// <inheritdoc />
    public bool TryAuthorize(
        ClientIdentity client,
        AccessKind kind,
        ReadOnlySpan<byte> topic,
        QualityOfService qos,
        bool retain,
        out bool allowed)
    {
        allowed = kind == AccessKind.Subscribe || topic is not [(byte)'$', ..];
        return true;
    }

    /// <inheritdoc />
    public ValueTask<bool> AuthorizeAsync(
        ClientIdentity client,
        AccessKind kind,
        ReadOnlyMemory<byte> topic,
        QualityOfService qos,
        bool retain,
        CancellationToken cancellationToken)
    {
        TryAuthorize(client, kind, topic.Span, qos, retain, out var allowed);
        return new ValueTask<bool>(allowed);
    }
}
