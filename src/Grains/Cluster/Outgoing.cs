using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Sessions;
using Broker.Grains.Topics;

namespace Broker.Grains.Cluster;

/// <summary>What waits on the edge to another silo: a message, or the note that a dead silo is settled here.</summary>
/// <param name="Message">The message; nothing when it is a note.</param>
/// <param name="Record">The publish that waits for the silo's answer; null when nobody does.</param>
/// <param name="RecoveredFrom">Dead silo that the message was meant for.</param>
/// <param name="Settled">Dead silos of the note.</param>
internal readonly record struct Outgoing(
    RoutedMessage Message, PublishRecord? Record, SiloAddress? RecoveredFrom = null, SiloAddress[]? Settled = null)
{
    /// <summary>Whether the message has been published before, see <see cref="MessageBatch.IsRepeat"/>.</summary>
    public bool IsRepeat { get; init; }

    /// <summary>Bytes that it counts on an edge.</summary>
    public int Size => Settled is null ? Message.Size : 64;
}
