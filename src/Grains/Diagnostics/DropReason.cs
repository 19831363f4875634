namespace Broker.Grains.Diagnostics;

/// <summary>Why a message was dropped for good (promise 5).</summary>
public enum DropReason
{
    /// <summary>The session's queue was full.</summary>
    QueueFull,

    /// <summary>Its Message Expiry Interval passed.</summary>
    Expired,

    /// <summary>It exceeds the client's Maximum Packet Size.</summary>
    TooLarge,

    /// <summary>QoS 0 to a client that does not read fast enough.</summary>
    SlowConsumer,

    /// <summary>QoS 0 for a client that is away, and <c>QueueQos0</c> is off.</summary>
    Offline,

    /// <summary>The publisher may not publish to the topic.</summary>
    NotAuthorized,

    /// <summary>The session ended before the message was acknowledged.</summary>
    SessionEnded,

    /// <summary>The store refused it; the publisher was told.</summary>
    StoreFailed,

    /// <summary>A retained message over its limit.</summary>
    RetainedLimit,

    /// <summary>QoS 0 that was under way to a silo that died.</summary>
    SiloLost,

    /// <summary>QoS 0 to a silo that does not answer, when as much as is kept for it waits already.</summary>
    SiloSilent,

    /// <summary>Its payload is not UTF-8 although its Payload Format Indicator says so; the publisher was told.</summary>
    PayloadFormat,

    /// <summary>A hook has dropped or refused it.</summary>
    Hook,

    /// <summary>It was to be published later, and its topic has not the form for that, or too many wait; the publisher was told.</summary>
    DelayRefused,
}
