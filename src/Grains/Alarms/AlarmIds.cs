namespace Broker.Grains.Alarms;

/// <summary>How the ids of the broker's own alarms begin; a client or the name of a silo follows.</summary>
internal static class AlarmIds
{
    /// <summary>A client, or a group of shared subscriptions.</summary>
    public const string QueueHigh = "queue_high/";

    /// <summary>A silo that died.</summary>
    public const string SiloLost = "silo_lost/";

    public const string StoreUnavailable = "store_unavailable/";

    public const string MemoryHigh = "memory_high/";

    public const string CpuHigh = "cpu_high/";

    public const string ClockJump = "clock_jump/";

    /// <summary>What a silo says of itself.</summary>
    public static IReadOnlyList<string> OfNodes { get; } = [StoreUnavailable, MemoryHigh, CpuHigh, ClockJump];
}
