using System.Net;
using Broker.Gateway.Options;
using Broker.Protocol;

namespace Broker.Gateway.Auth;

/// <summary>
/// The rules of a broker without rules: an accepted client may do everything, except publish to names that begin with
/// <c>$</c>. Those belong to the broker ([MQTT-4.7.2-1] leaves their use to the server), and a client that could write
/// them could pose as it under <c>$SYS</c>. What it says there, and everything at once (<c>#</c>), is for clients on this
/// machine and for the users that <see cref="SysOptions.Readers"/> names.
/// </summary>
internal sealed class DefaultAuthorizer(SysOptions options) : IAuthorizer
{
    private readonly HashSet<string> _readers = new(
        options.Readers.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), StringComparer.Ordinal);

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
        allowed = kind == AccessKind.Subscribe ? !IsForReaders(topic) || IsReader(client) : topic is not [(byte)'$', ..];
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

    private static bool IsForReaders(ReadOnlySpan<byte> filter) =>
        filter.SequenceEqual("#"u8) || filter.SequenceEqual("$SYS"u8) || filter.StartsWith("$SYS/"u8);

    private bool IsReader(ClientIdentity client) =>
        IPAddress.IsLoopback(client.Address) || (client.UserName is { } user && _readers.Contains(user));
}
