using Broker.Protocol;

namespace Broker.Grains.Interfaces.Topics;

/// <summary>
/// What became of the messages of a batch: for each the Reason Code that its publisher may be told. Success means that every
/// durable delivery is committed or acknowledged by its subscriber (promise 1).
/// </summary>
[GenerateSerializer, Immutable, Alias("broker.delivery-outcome")]
public sealed record DeliveryOutcome
{
    /// <summary>All went well.</summary>
    public static DeliveryOutcome Success { get; } = new();

    /// <summary>A Reason Code for each message in order; null when all are Success, which is nearly always.</summary>
    [Id(0)]
    public byte[]? Reasons { get; init; }

    /// <summary>Reason Code of one message.</summary>
    public ReasonCode ReasonOf(int message) => Reasons is null ? ReasonCode.Success : (ReasonCode)Reasons[message];
}
