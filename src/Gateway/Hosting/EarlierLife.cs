using System.Globalization;

namespace Broker.Gateway.Hosting;

/// <summary>
/// What a process that was replaced (<see cref="ProcessImage"/>) hands to the one after it, in one environment variable.
/// </summary>
/// <param name="Count">How often in a row it was replaced soon after its start.</param>
/// <param name="ReplacedAt">When, in milliseconds of Unix time.</param>
internal sealed record EarlierLife(int Count, long ReplacedAt)
{
    private const string Variable = "BROKER_EARLIER_LIFE";

    // Who lived for longer has not failed at its start.
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>That of this process; null when it was started by somebody else.</summary>
    public static EarlierLife? Mine { get; } = Parse(Environment.GetEnvironmentVariable(Variable));

    /// <summary>When this process began, which the kernel does not tell of one that was replaced.</summary>
    public static DateTimeOffset Began { get; } = Mine is { } earlier
        ? DateTimeOffset.FromUnixTimeMilliseconds(earlier.ReplacedAt)
        : System.Diagnostics.Process.GetCurrentProcess().StartTime;

    /// <summary>How long to wait before the next attempt to join: nothing at first, some seconds for one that fails again and again.</summary>
    public TimeSpan Pause => Count <= 1 ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(Count - 1, LongestPause.TotalSeconds));

    /// <summary>What this process hands on.</summary>
    public static (string Name, string Value) Next()
    {
        var now = DateTimeOffset.UtcNow;
        var count = now - Began < Soon ? (Mine?.Count ?? 0) + 1 : 1;
        return (Variable, string.Create(CultureInfo.InvariantCulture, $"{count} {now.ToUnixTimeMilliseconds()}"));
    }

    internal static EarlierLife? Parse(string? text) =>
        text?.Split(' ') is [var count, var at]
            && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var times)
            && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var time)
            ? new EarlierLife(times, time)
            : null;
}
