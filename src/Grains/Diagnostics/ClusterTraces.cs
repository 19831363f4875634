using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Topics;

namespace Broker.Grains.Diagnostics;

/// <summary>
/// Traces on all silos at once, because a client may be connected to any of them: each writes a file of its own. Nothing of it is durable: a
/// silo that does not answer does without, and one that joins asks the others what they trace.
/// </summary>
public sealed class ClusterTraces(ITraces traces, SiloQuestions silos)
{
    /// <summary>Starts a trace everywhere.</summary>
    /// <returns>Of each silo why it does not trace, or nothing when it does; null for one that does not answer.</returns>
    public Task<IReadOnlyList<(SiloAddress Silo, string? Refusal)>> StartAsync(TraceSpec spec) =>
        silos.AskAllAsync(() => traces.Start(spec) ?? "", inbox => inbox.StartTrace(spec));

    /// <summary>Ends a trace everywhere.</summary>
    /// <param name="remove">Whether its files are deleted.</param>
    /// <returns>Of each silo whether there was one; null for one that does not answer.</returns>
    public Task<IReadOnlyList<(SiloAddress Silo, bool? IsFound)>> EndAsync(string name, bool remove) => silos.AskAllAsync<bool?>(
        () => remove ? traces.Remove(name) : traces.Stop(name), async inbox => await inbox.EndTrace(name, remove));

    /// <summary>The traces of each silo; null for one that does not answer.</summary>
    public Task<IReadOnlyList<(SiloAddress Silo, TraceReport[]? Traces)>> ListAsync() =>
        silos.AskAllAsync(traces.All, static inbox => inbox.Traces());

    /// <summary>The beginning of each silo's file; null for one that does not answer.</summary>
    public Task<IReadOnlyList<(SiloAddress Silo, TracePart? Part)>> ReadAsync(string name) =>
        silos.AskAllAsync(() => traces.Read(name, 0), inbox => inbox.ReadTrace(name, 0));

    /// <summary>More of the file of one silo; null when it does not answer.</summary>
    public Task<TracePart?> ReadAsync(SiloAddress silo, string name, long offset) =>
        silos.AskAsync(silo, () => traces.Read(name, offset), inbox => inbox.ReadTrace(name, offset));

    /// <summary>Begins to trace what the other silos trace.</summary>
    public async Task JoinAsync()
    {
        foreach (var reports in await silos.AskOthersAsync(static inbox => inbox.Traces()))
        {
            foreach (var report in reports ?? [])
            {
                if (report is { Ending: null, Spec: { } spec })
                {
                    // Refused when another silo has named it before.
                    traces.Start(spec, continues: true);
                }
            }
        }
    }
}
