namespace Broker.Grains.Options;

/// <summary>When alarms are raised, and how many there may be. Section <c>Broker:Alarms</c>.</summary>
public sealed class AlarmOptions
{
    /// <summary>Alarms that may be raised at a time; further ones are counted, not kept.</summary>
    [Allowed("1", "1000000")]
    public int MaxRaised { get; set; } = 1000;

    /// <summary>
    /// Alarms that were cleared and are shown. At least <see cref="MaxRaised"/> are remembered, so that every silo hears of the end of each.
    /// </summary>
    [Allowed("0", "1000000")]
    public int MaxHistory { get; set; } = 1000;

    /// <summary>Share of the memory that the process may use above which an alarm is raised; it is cleared a tenth below.</summary>
    [Allowed("0.1", "1")]
    public double MemoryHigh { get; set; } = 0.85;

    /// <summary>Share of all cores that the process has used over a minute above which an alarm is raised; it is cleared a tenth below.</summary>
    [Allowed("0.1", "1")]
    public double CpuHigh { get; set; } = 0.9;

    /// <summary>Time without an owner after which an alarm is cleared: no silo of that name lives, or nobody has the session.</summary>
    [Allowed("1s", "1h")]
    public TimeSpan OrphanedAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a silo that died is missed; then its alarm is cleared, whether or not one of its name has come.</summary>
    [Allowed("1s", "30d")]
    public TimeSpan SiloLostFor { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How far the machine's clock may jump against the time that passes before an alarm is raised.</summary>
    [Allowed("100ms", "1h")]
    public TimeSpan ClockJump { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a commit may take, on average over a second, before the store counts as slow: whoever publishes to a durable session waits as long
    /// for its acknowledgement.
    /// </summary>
    [Allowed("0s", "1m", ZeroMeans = "no alarm")]
    public TimeSpan StoreSlow { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long commits must be slow before an alarm is raised, and not slow before it is cleared.</summary>
    [Allowed("1s", "1h")]
    public TimeSpan StoreSlowFor { get; set; } = TimeSpan.FromSeconds(30);
}
