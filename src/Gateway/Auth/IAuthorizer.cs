using Broker.Protocol;

namespace Broker.Gateway.Auth;

/// <summary>Rules on who may publish and subscribe to what. Asked through <see cref="AccessControl"/>.</summary>
public interface IAuthorizer
{
    /// <summary>
    /// True while every accepted client may use every topic that does not begin with <c>$</c> or <c>#</c>; then nothing else
    /// is asked about those. May change while the broker runs.
    /// </summary>
    bool IsOpen { get; }

    /// <summary>Answers from memory. False: only <see cref="AuthorizeAsync"/> knows.</summary>
    /// <param name="topic">Topic name or filter, UTF-8.</param>
    /// <param name="allowed">The answer; meaningless when false is returned.</param>
    bool TryAuthorize(
        ClientIdentity client,
        AccessKind kind,
        ReadOnlySpan<byte> topic,
        QualityOfService qos,
        bool retain,
        out bool allowed);

    /// <summary>Answers after asking whatever must be asked.</summary>
    ValueTask<bool> AuthorizeAsync(
        ClientIdentity client,
        AccessKind kind,
        ReadOnlyMemory<byte> topic,
        QualityOfService qos,
        bool retain,
        CancellationToken cancellationToken);
}
