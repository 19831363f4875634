using System.Globalization;

namespace Broker.Gateway.Hosting;

/// <summary>
/// When the program was started. The launcher becomes the program with <c>exec</c>, so the system counts the process from the
/// launcher's start, and a first build with it; that is why the launcher says when it was done.
/// </summary>
internal static class ProgramStart
{
    /// <summary>Environment variable of the launcher: seconds since 1970, with a fraction.</summary>
    public const string Variable = "BROKER_LAUNCHED";

    /// <summary>Time since then, the start of the runtime included.</summary>
    public static TimeSpan Elapsed
    {
        get
        {
            var now = DateTime.UtcNow;
            return now - Choose(EarlierLife.Began.UtcDateTime, now, Environment.GetEnvironmentVariable(Variable));
        }
    }

    /// <summary>What the launcher says, where it can be true; else the start of the process.</summary>
    internal static DateTime Choose(DateTime processStart, DateTime now, string? launched)
    {
        if (!double.TryParse(launched, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            || seconds > (DateTime.MaxValue - DateTime.UnixEpoch).TotalSeconds)
        {
            return processStart;
        }

        var said = DateTime.UnixEpoch.AddSeconds(seconds);
        return said > processStart && said <= now ? said : processStart;
    }
}
