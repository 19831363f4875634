using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Routing;

namespace Broker.Gateway.Sys;

/// <summary>Topics below <c>$SYS/brokers</c>, and how a message is published to one.</summary>
internal sealed class SysTopics
{
    /// <summary>Root of everything.</summary>
    public const string Root = "$SYS/brokers";

    private readonly BrokerPublisher _publisher;
    private readonly TimeProvider _time;
    private readonly string _prefix;

    public SysTopics(ILocalSiloDetails silo, BrokerPublisher publisher, TimeProvider time)
    {
        _publisher = publisher;
        _time = time;
        Node = LevelOf(silo.Name);
        _prefix = $"{Root}/{Node}/";
    }

    /// <summary>Name of this silo, one level.</summary>
    public string Node { get; }

    /// <summary>Whether a message would be for anybody.</summary>
    public bool HasSubscribers => _publisher.HasReservedSubscribers;

    /// <summary>A name as one level without wildcards: <c>/</c>, <c>+</c>, <c>#</c> and <c>%</c> are percent-encoded.</summary>
    public static string LevelOf(string name) => name
        .Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal)
        .Replace("+", "%2B", StringComparison.Ordinal).Replace("#", "%23", StringComparison.Ordinal);

    /// <summary>Publishes below this silo's own prefix, at QoS 0, to whoever is subscribed now.</summary>
    public void Publish(string name, ReadOnlySpan<byte> payload) => Publish(_prefix + name, payload, keepFor: null);

    /// <summary>Publishes below the prefix of the silo with that name, at QoS 0, to whoever is subscribed now.</summary>
    public void PublishFor(string node, string name, ReadOnlySpan<byte> payload) =>
        Publish($"{Root}/{LevelOf(node)}/{name}", payload, keepFor: null);

    /// <summary>Publishes below this silo's own prefix, retained; it goes by itself when it is not renewed.</summary>
    public void Retain(string name, ReadOnlySpan<byte> payload, TimeSpan keepFor) => Publish(_prefix + name, payload, keepFor);

    /// <summary>As <see cref="Retain"/>, on <see cref="Root"/> itself.</summary>
    public void RetainRoot(ReadOnlySpan<byte> payload, TimeSpan keepFor) => Publish(Root, payload, keepFor);

    private void Publish(string topic, ReadOnlySpan<byte> payload, TimeSpan? keepFor)
    {
        var topicLength = Encoding.UTF8.GetByteCount(topic);
        var bytes = new byte[topicLength + payload.Length];
        Encoding.UTF8.GetBytes(topic, bytes);
        payload.CopyTo(bytes.AsSpan(topicLength));
        _publisher.Publish(new ApplicationMessage(bytes, topicLength, propertiesLength: 0)
        {
            Id = keepFor is null ? MessageId.None : _publisher.NextId(),
            Retain = keepFor is not null,
            ExpiresAt = keepFor is { } time ? (_time.GetUtcNow() + time).ToUnixTimeMilliseconds() : long.MaxValue,
        });
    }
}
