namespace Broker.Grains.Options;

/// <summary>What a full session queue does with one message too many, when nothing in it has expired.</summary>
public enum QueueFullPolicy
{
    /// <summary>Drops the oldest QoS 0 message, or the oldest message when there is none.</summary>
    DropOldest,

    /// <summary>Drops the message that has just arrived.</summary>
    RefuseNewest,
}
