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

    /// <summary>All failed for one reason.</summary>
    public static DeliveryOutcome Failed(int count, ReasonCode reason)
    {
        var reasons = new byte[count];
        Array.Fill(reasons, (byte)reason);
        return new DeliveryOutcome { Reasons = reasons };
    }

    /// <summary>Reason Code of one message.</summary>
    public ReasonCode ReasonOf(int message) => Reasons is null ? ReasonCode.Success : (ReasonCode)Reasons[message];

    /// <summary>The part of it that is about some consecutive messages.</summary>
    public DeliveryOutcome Slice(int first, int count) =>
        Reasons is null ? this : new DeliveryOutcome { Reasons = Reasons[first..(first + count)] };

    /// <summary>The outcome of the same messages in two places: a failure in either is one.</summary>
    public DeliveryOutcome And(DeliveryOutcome other)
    {
        if (Reasons is null)
        {
            return other;
        }

        return other.Reasons is null ? this : new DeliveryOutcome { Reasons = [.. Reasons.Zip(other.Reasons, Math.Max)] };
    }
}
