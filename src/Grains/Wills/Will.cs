using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Messages;
using Broker.Grains.Storage;

namespace Broker.Grains.Wills;

/// <summary>The Will of a connection (MQTT section 3.1.2.5).</summary>
public sealed record Will(string ClientId, WillClaim Claim)
{
    /// <summary>Will Delay Interval in seconds; 0 for 3.x.</summary>
    public uint DelayInterval => Claim.DelayInterval;

    /// <summary>
    /// The message, with its expiry counted from <paramref name="now"/>. RETAIN is what Will Retain says [MQTT-3.1.2-14] [MQTT-3.1.2-15].
    /// </summary>
    public ApplicationMessage ToMessage(MessageIdSource ids, long now) => new(Claim.Bytes, Claim.TopicLength, Claim.PropertiesLength)
    {
        Id = ids.Next(0),
        Qos = Claim.Qos,
        Retain = Claim.Retain,
        ExpiresAt = Claim.MessageExpiryInterval is { } seconds ? now + (seconds * 1000L) : long.MaxValue,
        Publisher = ClientId,
    };

    /// <summary>Its row; <see cref="ApplicationMessage.ExpiresAt"/> holds the interval in milliseconds until it is published.</summary>
    /// <param name="sessionEndsIn">
    /// Seconds from the end of the connection to that of the session, after which no delay is waited for [MQTT-3.1.2-8]. It goes into the row
    /// because a session that ends with its connection has none, and nobody could tell after a crash.
    /// </param>
    public WillRow ToRow(uint sessionEndsIn, long? publishAt) => new(
        ClientId,
        new ApplicationMessage(Claim.Bytes, Claim.TopicLength, Claim.PropertiesLength)
        {
            Qos = Claim.Qos,
            Retain = Claim.Retain,
            ExpiresAt = Claim.MessageExpiryInterval is { } seconds ? seconds * 1000L : long.MaxValue,
            Publisher = ClientId,
        },
        Math.Min(DelayInterval, sessionEndsIn),
        publishAt);

    /// <summary>The reverse of <see cref="ToRow"/>.</summary>
    public static Will FromRow(WillRow row) => new(row.ClientId, new WillClaim
    {
        Bytes = row.Message.Bytes.ToArray(),
        TopicLength = row.Message.TopicLength,
        PropertiesLength = row.Message.PropertiesLength,
        Qos = row.Message.Qos,
        Retain = row.Message.Retain,
        MessageExpiryInterval = row.Message.ExpiresAt == long.MaxValue ? null : (uint)(row.Message.ExpiresAt / 1000),
        DelayInterval = row.DelayInterval,
    });
}
