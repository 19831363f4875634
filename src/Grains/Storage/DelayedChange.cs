using Broker.Grains.Messages;

namespace Broker.Grains.Storage;

/// <summary>What a batch does to one delayed message: puts it, marks it, or deletes it when neither is set.</summary>
internal readonly record struct DelayedChange(DelayedRow? Row, MessageId? PublishedAs);
