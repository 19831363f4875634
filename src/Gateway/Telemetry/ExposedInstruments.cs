using System.Collections.Frozen;
using System.Diagnostics.Metrics;

namespace Broker.Gateway.Telemetry;

/// <summary>
/// The instruments that <c>/metrics</c> shows: all of the broker's own, and those of Orleans and of the runtime that scaling and
/// paging need. The rest of theirs costs a measurement for each grain call, and has tags without end.
/// </summary>
internal static class ExposedInstruments
{
    private const string OwnMeters = "Broker.";

    private static readonly FrozenSet<string> Foreign = FrozenSet.Create(
        StringComparer.Ordinal,
        "Microsoft.Orleans/orleans-catalog-activations",
        "Microsoft.Orleans/orleans-catalog-activation-created",
        "Microsoft.Orleans/orleans-catalog-activation-failed-to-activate",
        "Microsoft.Orleans/orleans-app-requests-timedout",
        "System.Runtime/dotnet.process.cpu.time",
        "System.Runtime/dotnet.process.memory.working_set",
        "System.Runtime/dotnet.gc.collections",
        "System.Runtime/dotnet.gc.pause.time",
        "System.Runtime/dotnet.gc.last_collection.memory.committed_size",
        "System.Runtime/dotnet.exceptions");

    public static bool Contains(Instrument instrument) =>
        instrument.Meter.Name.StartsWith(OwnMeters, StringComparison.Ordinal) ||
        Foreign.Contains($"{instrument.Meter.Name}/{instrument.Name}");
}
