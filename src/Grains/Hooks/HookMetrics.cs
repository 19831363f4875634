using System.Diagnostics.Metrics;

namespace Broker.Grains.Hooks;

/// <summary>What hooks have failed to do.</summary>
public sealed class HookMetrics : IDisposable
{
    private readonly Meter _meter = new("Broker.Hooks");
    private readonly Counter<long> _failures;
    private readonly Counter<long> _untold;

    public HookMetrics()
    {
        _failures = _meter.CreateCounter<long>("broker.hooks.failures", description: "Calls that threw or took too long, by hook.");
        _untold = _meter.CreateCounter<long>("broker.hooks.untold", description: "Events that a hook was not told because its queue was full, by hook.");
    }

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    internal void Failed(string hook) => _failures.Add(1, new KeyValuePair<string, object?>("hook", hook));

    /// <summary>Events were lost to a hook or to the webhook.</summary>
    public void Untold(string hook, long count = 1) => _untold.Add(count, new KeyValuePair<string, object?>("hook", hook));
}
