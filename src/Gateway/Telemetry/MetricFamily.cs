using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Broker.Gateway.Telemetry;

/// <summary>
/// A metric with all its series. Several instruments may feed it: those of the same name, which differ in a tag.
/// </summary>
/// <remarks>
/// Series are looked for one after the other: the exposed instruments have no tag, or one of a few fixed values, so that there
/// is nothing that clients could make grow.
/// </remarks>
internal sealed class MetricFamily
{
    // For a histogram that names no bounds of its own; seconds, as the clients of Prometheus have them.
    private static readonly double[] UsualBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Lock _gate = new();
    private readonly List<MetricSeries> _series = [];
    private readonly double[] _bounds;
    private readonly bool _isObserved;
    private readonly bool _isSum;

    public MetricFamily(Instrument instrument)
    {
        var kind = instrument.GetType().GetGenericTypeDefinition();
        Type = kind == typeof(Counter<>) || kind == typeof(ObservableCounter<>) ? FamilyType.Counter
            : kind == typeof(Histogram<>) ? FamilyType.Histogram
            : FamilyType.Gauge;
        _isObserved = instrument.IsObservable;
        _isSum = kind == typeof(Counter<>) || kind == typeof(UpDownCounter<>);
        _bounds = Type == FamilyType.Histogram ? BoundsOf(instrument) : [];
        Name = PrometheusName.Of(instrument, Type);
        Help = instrument.Description ?? "";
    }

    public string Name { get; }

    public FamilyType Type { get; }

    public string Help { get; }

    /// <summary>Adds a measurement; on any thread.</summary>
    /// <param name="value">What was measured.</param>
    /// <param name="tags">Its tags.</param>
    /// <param name="reading">Number of the present reading.</param>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, long reading)
    {
        lock (_gate)
        {
            var series = SeriesOf(tags);
            series.Reading = reading;
            if (Type == FamilyType.Histogram)
            {
                series.Value += value;
                series.Counts[BucketOf(value)]++;
            }
            else
            {
                series.Value = _isSum ? series.Value + value : value;
            }
        }
    }

    /// <summary>Appends the family in text form. What was observed before and is not any more is left out.</summary>
    public void Write(StringBuilder text, long reading)
    {
        text.Append("# HELP ").Append(Name).Append(' ').Append(Escape(Help)).Append('\n');
        text.Append("# TYPE ").Append(Name).Append(' ').Append(TypeWord).Append('\n');
        lock (_gate)
        {
            foreach (var series in _series.Where(s => !_isObserved || s.Reading == reading))
            {
                if (Type == FamilyType.Histogram)
                {
                    WriteHistogram(text, series);
                }
                else
                {
                    WriteSample(text, "", series.Labels, series.Value);
                }
            }
        }
    }

    private string TypeWord => Type switch
    {
        FamilyType.Counter => "counter",
        FamilyType.Histogram => "histogram",
        _ => "gauge",
    };

    private static double[] BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        _ => UsualBounds,
    };

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in tags)
        {
            var name = key.Replace('.', '_').Replace('-', '_');
            var shown = Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "").Replace("\"", "\\\"", StringComparison.Ordinal);
            text.Append(text.Length > 0 ? "," : "").Append(name).Append("=\"").Append(shown).Append('"');
        }

        return text.ToString();
    }

    private MetricSeries SeriesOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var known in _series)
        {
            if (known.Has(tags))
            {
                return known;
            }
        }

        var series = new MetricSeries(tags.ToArray(), LabelsOf(tags), Type == FamilyType.Histogram ? _bounds.Length + 1 : 0);
        _series.Add(series);
        return series;
    }

    /// <summary>A value that equals a bound belongs to the bucket that ends there.</summary>
    private int BucketOf(double value)
    {
        var found = Array.BinarySearch(_bounds, value);
        return found < 0 ? ~found : found;
    }

    private void WriteHistogram(StringBuilder text, MetricSeries series)
    {
        var separator = series.Labels.Length > 0 ? "," : "";
        long count = 0;
        for (var i = 0; i < series.Counts.Length; i++)
        {
            count += series.Counts[i];
            var bound = Number(i < _bounds.Length ? _bounds[i] : double.PositiveInfinity);
            WriteSample(text, "_bucket", $"{series.Labels}{separator}le=\"{bound}\"", count);
        }

        WriteSample(text, "_sum", series.Labels, series.Value);
        WriteSample(text, "_count", series.Labels, count);
    }

    private void WriteSample(StringBuilder text, string suffix, string labels, double value)
    {
        text.Append(Name).Append(suffix);
        if (labels.Length > 0)
        {
            text.Append('{').Append(labels).Append('}');
        }

        text.Append(' ').Append(Number(value)).Append('\n');
    }
}
