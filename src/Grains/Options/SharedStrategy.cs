namespace Broker.Grains.Options;

/// <summary>How a shared subscription's group chooses the member that gets a message, among those with room for it.</summary>
public enum SharedStrategy
{
    /// <summary>In turn.</summary>
    RoundRobin,

    /// <summary>By chance.</summary>
    Random,

    /// <summary>One member until it leaves or its connection ends.</summary>
    Sticky,

    /// <summary>By the publisher's Client Identifier.</summary>
    HashClientId,

    /// <summary>By the Topic Name.</summary>
    HashTopic,

    /// <summary>The member with the fewest unacknowledged messages of the group.</summary>
    LeastInflight,
}
