using Broker.Protocol;

namespace Broker.Gateway.Embedding;

/// <summary>What an application wants to be sent.</summary>
public sealed record MqttSubscription
{
    /// <summary>
    /// Name of the session, unique in the cluster: a second subscriber of the same name takes the session from the first. Needed when
    /// <see cref="SessionExpiry"/> is given. No client of the network can have it: the Client Identifier is <c>$app/</c> and the name.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Topic Filters; those of an earlier subscriber of the same session that are not among them end.</summary>
    public required IReadOnlyList<string> Filters { get; init; }

    /// <summary>
    /// At most QoS 1: a message may come twice after a crash, and the application knows best how to tell. A QoS 2 publish is delivered
    /// with QoS 1.
    /// </summary>
    public QualityOfService MaximumQos { get; init; } = QualityOfService.AtLeastOnce;

    /// <summary>
    /// How long the session collects messages without a subscriber. Zero: it ends with the subscriber, and with the process.
    /// Otherwise it is durable like that of a client, and limited by <c>Broker:Session:MaxSessionExpiry</c>.
    /// </summary>
    public TimeSpan SessionExpiry { get; init; }

    /// <summary>
    /// Messages handed to the application and not finished, 1 to 65,535. Beyond it QoS 0 is dropped (reason <c>slow_consumer</c>) and
    /// QoS 1 waits in the session's queue, whose limits are those of <c>Broker:Session</c>. Their bytes are limited by
    /// <c>Broker:Limits:OutboundBufferBytes</c>.
    /// </summary>
    public int Capacity { get; init; } = 100;

    /// <summary>When retained messages are sent.</summary>
    public RetainHandling RetainHandling { get; init; } = RetainHandling.SendIfNew;
}
