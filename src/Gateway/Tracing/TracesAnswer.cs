using Broker.Grains.Interfaces.Diagnostics;

namespace Broker.Gateway.Tracing;

/// <summary>Body of the answers about traces.</summary>
/// <param name="Traces">One for each silo.</param>
/// <param name="Refused">Silos that do not trace what was asked for, and why.</param>
/// <param name="Missing">Silos that did not answer.</param>
internal sealed record TracesAnswer(
    IReadOnlyList<TraceRow> Traces, IReadOnlyList<TraceRefusal> Refused, IReadOnlyList<string> Missing);

/// <summary>A silo that does not trace.</summary>
internal sealed record TraceRefusal(string Silo, string Error);

/// <summary>A trace on one silo.</summary>
/// <param name="State"><c>active</c>, or why it has ended.</param>
/// <param name="Events">Lines with events in its file.</param>
/// <param name="MissingEvents">Events that are not in it because they came faster than they could be written.</param>
/// <param name="Bytes">Size of the file.</param>
internal sealed record TraceRow(
    string Name,
    string? Client,
    string? Topic,
    string? Address,
    int PayloadBytes,
    string State,
    DateTimeOffset? Started,
    DateTimeOffset? Ends,
    long Events,
    long MissingEvents,
    long Bytes,
    string Silo)
{
    public static TraceRow Of(TraceReport report, SiloAddress silo) => new(
        report.Name,
        report.Spec?.ClientId,
        report.Spec?.Filter,
        report.Spec?.Addresses,
        report.Spec?.PayloadBytes ?? 0,
        report.Ending ?? "active",
        report.Spec is null ? null : DateTimeOffset.FromUnixTimeMilliseconds(report.StartedAt),
        report.Spec is null ? null : DateTimeOffset.FromUnixTimeMilliseconds(report.Spec.EndsAt),
        report.Lines,
        report.Missing,
        report.Bytes,
        silo.ToString());
}
