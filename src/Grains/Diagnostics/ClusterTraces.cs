using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Topics;

namespace Broker.Grains.Diagnostics;

/// <summary>
/// Traces on all silos at once, because a client may be connected to any of them: each writes a file of its own. Nothing of it is durable: a
/// silo that does not answer does without, and one that joins asks the others what they trace.
/// </summary>
public sealed class ClusterTraces(ITraces traces, LiveSilos silos, InboxClient inboxes, TopicLog log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Starts a trace everywhere.</summary>
    /// <returns>Of each silo why it does not trace, or nothing when it does; null for one that does not answer.</returns>
    public Task<IReadOnlyList<(SiloAddress Silo, string? Refusal)>> StartAsync(TraceSpec spec) =>
        AskAllAsync(() => traces.Start(spec) ?? "", inbox => inbox.StartTrace(spec));

    /// <summary>Ends a trace everywhere.</summary>
    /// <param name="remove">Whether its files are deleted.</param>
    /// <returns>Of each silo whether there was one; null for one that does not answer.</returns>
    public Task<IReadOnlyList<(SiloAddress Silo, bool? IsFound)>> EndAsync(string name, bool remove) => AskAllAsync<bool?>(
        () => remove ? traces.Remove(name) : traces.Stop(name), async inbox => await inbox.EndTrace(name, remove));

    /// <summary>The traces of each silo; null for one that does not answer.</summary>
    public Task<IReadOnlyList<(SiloAddress Silo, TraceReport[]? Traces)>> ListAsync() =>
        AskAllAsync(traces.All, static inbox => inbox.Traces());

    /// <summary>The beginning of each silo's file; null for one that does not answer.</summary>
    public Task<IReadOnlyList<(SiloAddress Silo, TracePart? Part)>> ReadAsync(string name) =>
        AskAllAsync(() => traces.Read(name, 0), inbox => inbox.ReadTrace(name, 0));

    /// <summary>More of the file of one silo; null when it does not answer.</summary>
    public Task<TracePart?> ReadAsync(SiloAddress silo, string name, long offset) =>
        AskAsync(silo, () => traces.Read(name, offset), inbox => inbox.ReadTrace(name, offset));

    /// <summary>Begins to trace what the other silos trace.</summary>
    public async Task JoinAsync()
    {
        var others = silos.All.Where(silo => !silo.Equals(silos.Local)).Order();
        var answers = await Task.WhenAll(others.Select(silo => AskAsync<TraceReport[]?>(silo, static () => null, static async inbox => await inbox.Traces())));
        foreach (var reports in answers)
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

    private async Task<IReadOnlyList<(SiloAddress Silo, T? Answer)>> AskAllAsync<T>(Func<T> here, Func<ISiloInbox, Task<T>> there) =>
        await Task.WhenAll(silos.All.Order().Select(async silo => (silo, await AskAsync(silo, here, there))));

    private Task<T?> AskAsync<T>(SiloAddress silo, Func<T> here, Func<ISiloInbox, Task<T>> there) => silo.Equals(silos.Local)
        ? Task.FromResult<T?>(here())
        : InboxClient.AskAsync(inboxes.Of, silo, there, Patience, log.ReportNotAnswered);
}
