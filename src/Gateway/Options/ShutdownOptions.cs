using Broker.Grains.Options;

namespace Broker.Gateway.Options;

/// <summary>
/// How a stop goes and how long it may take: notice, drain, the rest. A supervisor must give it the sum of
/// <see cref="NoticeTime"/>, <see cref="DrainTimeout"/> and <see cref="StopTimeout"/> before it kills. Section <c>Broker:Shutdown</c>.
/// </summary>
public sealed class ShutdownOptions
{
    /// <summary>
    /// How long the broker goes on as before while <c>/health/ready</c> already refuses, for a balancer to notice and send new
    /// clients elsewhere. Longer than its probe interval.
    /// </summary>
    [Allowed("0s", "10m")]
    public TimeSpan NoticeTime { get; set; } = TimeSpan.Zero;

    /// <summary>
    /// Connections closed in a second while other silos live to take the clients; more when the time would not do. A silo
    /// without others closes all at once.
    /// </summary>
    // 500: a silo of two cores takes over sessions faster than that while it goes on with its own work.
    [Allowed("0", "1000000", ZeroMeans = "all at once")]
    public int DrainRate { get; set; } = 500;

    /// <summary>Time for closing the connections in order, and for their sessions to move; what is left is cut off.</summary>
    [Allowed("0s", "10m")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Share of <see cref="DrainTimeout"/> that is kept for the last clients: how long the silo stays after the last close, so that their sessions
    /// are fetched from it. Over as soon as all are.
    /// </summary>
    [Allowed("0s", "10m")]
    public TimeSpan HandOverTime { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Time for everything after the drain: store, grains, silo.</summary>
    [Allowed("1s", "10m")]
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Server Reference, as MQTT 5.0 section 4.11 writes it, for MQTT 5.0 clients that are sent elsewhere (0x9C) by a stop, and for those that
    /// still connect meanwhile; without one these are closed without a word.
    /// </summary>
    [AllowedText("addresses with or without a port, separated by spaces; up to 1,024 characters")]
    public string? ServerReference { get; set; }
}
