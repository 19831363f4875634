using Broker.Grains.Messages;

namespace Broker.Grains.Diagnostics;

/// <summary>What the ledger knows of one client, topic and reason. Guarded by the ledger's lock.</summary>
internal sealed class DropEntry
{
    // Object, list node and table slot, without the text.
    private const int Overhead = 220;

    public DropEntry(string clientId, ReadOnlySpan<byte> topic, DropReason reason, long now)
    {
        ClientId = clientId;
        Topic = topic.ToArray();
        Reason = reason;
        First = now;
        Node = new LinkedListNode<DropEntry>(this);
    }

    public string ClientId { get; }

    public byte[] Topic { get; }

    public DropReason Reason { get; }

    public long Count { get; set; }

    /// <summary>Milliseconds since 1970.</summary>
    public long First { get; }

    /// <summary>Milliseconds since 1970.</summary>
    public long Last { get; set; }

    /// <summary>The last message; <see cref="MessageId.None"/> for QoS 0.</summary>
    public MessageId LastMessage { get; set; }

    /// <summary>Number of the last of its drops, among all since the start.</summary>
    public long LastNumber { get; set; }

    /// <summary>Its place among all, the last to be dropped at the end.</summary>
    public LinkedListNode<DropEntry> Node { get; }

    /// <summary>Bytes that count against the ledger's limit.</summary>
    public long Size => Overhead + (ClientId.Length * sizeof(char)) + Topic.Length;
}
