using Broker.Protocol;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>What a CONNECT asks of the session's owner.</summary>
[GenerateSerializer, Immutable, Alias("broker.session.claim")]
public sealed record SessionClaim
{
    /// <summary>Clean Start (MQTT 5.0) or Clean Session (3.x): whatever session there is ends.</summary>
    [Id(0)]
    public required bool CleanStart { get; init; }

    /// <summary>Session Expiry Interval in seconds, already within the limits; <see cref="uint.MaxValue"/> is never.</summary>
    [Id(1)]
    public required uint ExpiryInterval { get; init; }

    [Id(2)]
    public required ProtocolVersion Version { get; init; }

    /// <summary>The Will of the connection.</summary>
    [Id(3)]
    public WillClaim? Will { get; init; }

    /// <summary>Silo of the connection; null in a broker of one silo.</summary>
    [Id(4)]
    public SiloAddress? Silo { get; init; }
}

/// <summary>A Will as CONNECT carries it.</summary>
[GenerateSerializer, Immutable, Alias("broker.session.will")]
public sealed record WillClaim
{
    /// <summary>Topic, forwarded properties and payload, back to back.</summary>
    [Id(0)]
    public required byte[] Bytes { get; init; }

    [Id(1)]
    public required int TopicLength { get; init; }

    [Id(2)]
    public required int PropertiesLength { get; init; }

    [Id(3)]
    public required QualityOfService Qos { get; init; }

    [Id(4)]
    public required bool Retain { get; init; }

    /// <summary>Message Expiry Interval in seconds, counted from publication; null when it does not expire.</summary>
    [Id(5)]
    public uint? MessageExpiryInterval { get; init; }

    /// <summary>Will Delay Interval in seconds.</summary>
    [Id(6)]
    public uint DelayInterval { get; init; }
}

/// <summary>The owner's answer.</summary>
/// <param name="SessionPresent">Session Present flag of CONNACK.</param>
/// <param name="Epoch">Number of this claim: only its connection acts for the client from here on.</param>
[GenerateSerializer, Immutable, Alias("broker.session.grant")]
public sealed record SessionGrant([property: Id(0)] bool SessionPresent, [property: Id(1)] long Epoch)
{
    /// <summary>The owner was on another silo and is on its way to the one of the claim, which has to ask again.</summary>
    [Id(2)]
    public bool IsMoving { get; init; }

    /// <summary>
    /// Connections to different silos have taken the client id from each other too fast: the claim has to be made again after so
    /// long. Then <see cref="IsMoving"/> is true as well, which is all that a silo of the version before understands.
    /// </summary>
    [Id(3)]
    public TimeSpan RetryAfter { get; init; }
}
