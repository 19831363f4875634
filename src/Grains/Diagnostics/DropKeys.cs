using System.Diagnostics.CodeAnalysis;

namespace Broker.Grains.Diagnostics;

/// <summary>What an entry is looked up by, without making anything: a drop that is not the first of its kind allocates nothing.</summary>
internal readonly ref struct DropProbe(string clientId, ReadOnlySpan<byte> topic, DropReason reason)
{
    public string ClientId { get; } = clientId;

    public ReadOnlySpan<byte> Topic { get; } = topic;

    public DropReason Reason { get; } = reason;
}

/// <summary>Entries are equal by client, topic and reason.</summary>
internal sealed class DropKeys : IEqualityComparer<DropEntry>, IAlternateEqualityComparer<DropProbe, DropEntry>
{
    public bool Equals(DropEntry? x, DropEntry? y) =>
        ReferenceEquals(x, y) || (x is not null && y is not null && Equals(ProbeOf(x), y));

    public int GetHashCode([DisallowNull] DropEntry obj) => GetHashCode(ProbeOf(obj));

    public bool Equals(DropProbe alternate, DropEntry other) =>
        alternate.Reason == other.Reason
        && alternate.Topic.SequenceEqual(other.Topic)
        && string.Equals(alternate.ClientId, other.ClientId, StringComparison.Ordinal);

    public int GetHashCode(DropProbe alternate)
    {
        var hash = default(HashCode);
        hash.AddBytes(alternate.Topic);
        hash.Add(alternate.ClientId, StringComparer.Ordinal);
        hash.Add((int)alternate.Reason);
        return hash.ToHashCode();
    }

    public DropEntry Create(DropProbe alternate) => new(alternate.ClientId, alternate.Topic, alternate.Reason, now: 0);

    private static DropProbe ProbeOf(DropEntry entry) => new(entry.ClientId, entry.Topic, entry.Reason);
}
