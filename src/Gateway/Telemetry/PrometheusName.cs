using System.Diagnostics.Metrics;

namespace Broker.Gateway.Telemetry;

/// <summary>
/// The name of an instrument at <c>/metrics</c>, by the rules of OpenTelemetry: an underscore for every other character, the unit at
/// the end unless the name says it already, and <c>_total</c> for what only grows.
/// </summary>
internal static class PrometheusName
{
    public static string Of(Instrument instrument, FamilyType type)
    {
        var name = string.Create(instrument.Name.Length, instrument.Name, static (span, name) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = char.IsAsciiLetterOrDigit(name[i]) ? name[i] : '_';
            }
        });
        if (UnitWord(instrument.Unit) is { } unit && !name.Split('_').Contains(unit, StringComparer.Ordinal))
        {
            name += "_" + unit;
        }

        return type == FamilyType.Counter ? name + "_total" : name;
    }

    // Units in braces are notes for people, as in {message}.
    private static string? UnitWord(string? unit) => unit switch
    {
        "By" => "bytes",
        "s" => "seconds",
        "ms" => "milliseconds",
        _ => null,
    };
}
