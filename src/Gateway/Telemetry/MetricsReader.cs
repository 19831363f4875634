using System.Diagnostics.Metrics;
using System.Text;

namespace Broker.Gateway.Telemetry;

/// <summary>
/// Listens to the exposed instruments from its creation on, and writes what they say in the text format of Prometheus (version
/// 0.0.4). Observed instruments are asked when somebody reads and at no other time.
/// </summary>
internal sealed class MetricsReader : IDisposable
{
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly Lock _reading = new();
    private long _readings;

    public MetricsReader()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ExposedInstruments.Contains(instrument))
            {
                listener.EnableMeasurementEvents(instrument, FamilyOf(instrument));
            }
        };
        _listener.SetMeasurementEventCallback<int>((_, value, tags, family) => Record(value, tags, family));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => Record(value, tags, family));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => Record(value, tags, family));
        _listener.Start();
    }

    /// <summary>All metrics as they are now. One reader at a time: another one waits, for some milliseconds.</summary>
    public string Read()
    {
        var text = new StringBuilder();
        lock (_reading)
        {
            _readings++;
            _listener.RecordObservableInstruments();
            foreach (var family in Families())
            {
                family.Write(text, _readings);
            }
        }

        return text.ToString();
    }

    /// <inheritdoc />
    public void Dispose() => _listener.Dispose();

    /// <param name="family">Null when the meter of the instrument is disposed of at this moment.</param>
    private void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? family) =>
        ((MetricFamily?)family)?.Record(value, tags, Volatile.Read(ref _readings));

    private List<MetricFamily> Families()
    {
        lock (_gate)
        {
            return [.. _families.Values];
        }
    }

    private MetricFamily FamilyOf(Instrument instrument)
    {
        var family = new MetricFamily(instrument);
        lock (_gate)
        {
            if (_families.TryGetValue(family.Name, out var known))
            {
                return known;
            }

            _families.Add(family.Name, family);
            return family;
        }
    }
}
