using System.Globalization;

namespace Broker.Cluster.Tests.Support;

/// <summary>A test that runs only when it is given time: BROKER_CHAOS_MINUTES.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ChaosFactAttribute : FactAttribute
{
    public ChaosFactAttribute() => Skip = Time == TimeSpan.Zero ? "runs with ./test.sh --chaos MINUTES" : null;

    /// <summary>How long random schedules are run.</summary>
    public static TimeSpan Time { get; } =
        Environment.GetEnvironmentVariable("BROKER_CHAOS_MINUTES") is { Length: > 0 } minutes
            ? TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture))
            : TimeSpan.Zero;
}
