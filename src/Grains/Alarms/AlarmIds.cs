namespace Broker.Grains.Alarms;

/// <summary>How the ids of the broker's own alarms begin; a client or the name of a silo follows.</summary>
public static class AlarmIds
{
    /// <summary>A client, or a group of shared subscriptions.</summary>
    public const string QueueHigh = "queue_high/";

    /// <summary>A silo that died.</summary>
    public const string SiloLost = "silo_lost/";

    /// <summary>A silo that left in order.</summary>
    public const string SiloLeft = "silo_left/";

    /// <summary>A silo that lives and does not answer another one.</summary>
    public const string SiloSilent = "silo_silent/";

    /// <summary>A silo that has come to others.</summary>
    public const string SiloJoined = "silo_joined/";

    /// <summary>A silo whose store takes no commits.</summary>
    public const string StoreUnavailable = "store_unavailable/";

    /// <summary>A silo whose commits take long.</summary>
    public const string StoreSlow = "store_slow/";

    /// <summary>A silo whose process has much of the memory that it may have.</summary>
    public const string MemoryHigh = "memory_high/";

    /// <summary>A silo whose process uses much of its cores.</summary>
    public const string CpuHigh = "cpu_high/";

    /// <summary>A silo whose clock has jumped.</summary>
    public const string ClockJump = "clock_jump/";

    /// <summary>A silo that has refused connections because it has as many as it may.</summary>
    public const string ConnectionsFull = "connections_full/";

    /// <summary>What a silo says of itself.</summary>
    internal static IReadOnlyList<string> OfNodes { get; } =
        [SiloJoined, StoreUnavailable, StoreSlow, MemoryHigh, CpuHigh, ClockJump, ConnectionsFull];
}
