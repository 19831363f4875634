using Broker.Grains.Messages;

namespace Broker.Grains.Retained;

/// <summary>The place of one topic's retained message. A replay holds places, not messages, and sends what is there then.</summary>
public sealed class RetainedEntry(string topic, long number)
{
    private Current? _current;

    public string Topic { get; } = topic;

    /// <summary>Given when the topic first got a retained message; ascending over the life of the store.</summary>
    public long Number { get; } = number;

    /// <summary>The message, or null once it was cleared.</summary>
    public ApplicationMessage? Message => Volatile.Read(ref _current)?.Message;

    /// <summary>The message if it was set at or before <paramref name="version"/>, else null.</summary>
    public ApplicationMessage? AsOf(long version) =>
        Volatile.Read(ref _current) is { } current && current.Version <= version ? current.Message : null;

    internal void Set(ApplicationMessage? message, long version) =>
        Volatile.Write(ref _current, message is null ? null : new Current(message, version));

    private sealed record Current(ApplicationMessage Message, long Version);
}
