using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Retained;
using Broker.Grains.Storage;
using Broker.Grains.Tests.SessionModel;
using Broker.Protocol;

namespace Broker.Grains.Tests.Retained;

/// <summary>The retained messages of one silo, with a clock of its own.</summary>
internal sealed class Replica
{
    private readonly MessageIdSource _ids;

    public Replica(ushort node, TimeSpan skew = default, RetainedOptions? limits = null)
    {
        Time = new SkewedTime(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) + skew);
        _ids = new MessageIdSource(new MemoryStore(new MemoryRows()) { NodeNumber = node }, Time);
        Messages = new RetainedMessages(limits ?? new RetainedOptions(), _ids);
    }

    public SkewedTime Time { get; }

    public RetainedMessages Messages { get; }

    /// <summary>Accepts a publish; an empty text clears.</summary>
    public ApplicationMessage Publish(string topic, string text)
    {
        var message = Message(topic, text, _ids.Next(1));
        lock (Messages.Gate)
        {
            message.IsRetainRefused = !Messages.Set(message);
            return message;
        }
    }

    public void Follow(ApplicationMessage message)
    {
        lock (Messages.Gate)
        {
            Messages.Follow(message);
        }
    }

    public void WriteTo(IStoreBatch batch, string topic, MessageId version) => Messages.WriteTo(batch, topic, version);

    /// <summary>What a new subscriber gets, null when nothing.</summary>
    public string? this[string topic]
    {
        get
        {
            lock (Messages.Gate)
            {
                return Messages.Match(topic) is [{ Message: { } message }] ? Encoding.UTF8.GetString(message.Payload) : null;
            }
        }
    }

    public static ApplicationMessage Message(string topic, string text, MessageId id, long expiresAt = long.MaxValue)
    {
        var name = Encoding.UTF8.GetBytes(topic);
        return new ApplicationMessage([.. name, .. Encoding.UTF8.GetBytes(text)], name.Length, 0)
        {
            Id = id, Qos = QualityOfService.AtLeastOnce, Retain = true, ExpiresAt = expiresAt,
        };
    }
}
