using System.Diagnostics.Metrics;
using Broker.Gateway.Admin;
using Broker.Gateway.Hosting;
using Broker.Grains.Topics;

namespace Broker.Gateway.Telemetry;

/// <summary>What there is to say about the silo as a whole: its build, its readiness, the others that it sees.</summary>
internal sealed class SiloFigures : IDisposable
{
    private readonly Meter _meter = new("Broker.Silo");

    public SiloFigures(IEnumerable<IReadinessCheck> checks, LiveSilos silos)
    {
        IReadinessCheck[] all = [.. checks];
        var info = new Measurement<int>(
            1, new("version", Banner.Version), new KeyValuePair<string, object?>("node", Environment.MachineName));
        _meter.CreateObservableGauge("broker.info", () => info, description: "1, with the version of the program and the machine's name.");
        _meter.CreateObservableGauge(
            "broker.silos", () => silos.All.Count, "{silo}", "Silos of the cluster that this one counts as alive, itself included.");
        _meter.CreateObservableGauge(
            "broker.ready", () => Array.TrueForAll(all, static c => c.Obstacle is null) ? 1 : 0, description: "1 when clients may be sent here, else 0.");
        _meter.CreateObservableGauge(
            "broker.ready.obstacle",
            () => all.Select(static c => new Measurement<int>(c.Obstacle is null ? 0 : 1, new KeyValuePair<string, object?>("cause", c.Name))),
            description: "1 for each cause for which the silo is not ready.");
    }

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();
}
