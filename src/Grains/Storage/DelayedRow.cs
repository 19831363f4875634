using Broker.Grains.Messages;

namespace Broker.Grains.Storage;

/// <summary>A message that is to be published at a time; its key is the message's id.</summary>
/// <param name="Due">Milliseconds since 1970.</param>
/// <param name="PublishedAs">
/// Id under which it has gone to other silos, or is about to, of which nobody knows whether all have it;
/// <see cref="MessageId.None"/> while it waits.
/// </param>
public sealed record DelayedRow(long Due, ApplicationMessage Message, MessageId PublishedAs = default);

/// <summary>What is asked for about a delayed message that is due, before it is read.</summary>
/// <param name="Size">Bytes of topic, properties and payload.</param>
public readonly record struct DelayedKey(MessageId Id, long Due, string Publisher, int Size, MessageId PublishedAs);

/// <summary>The delayed messages of one owner.</summary>
/// <param name="Bytes">Sum of the message sizes.</param>
public readonly record struct DelayedSummary(long Count, long Bytes);
