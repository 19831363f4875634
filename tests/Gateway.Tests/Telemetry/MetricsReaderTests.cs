using System.Diagnostics.Metrics;
using Broker.Gateway.Telemetry;
using Broker.TestKit.Checks;

namespace Broker.Gateway.Tests.Telemetry;

/// <summary>From instruments to the text of Prometheus.</summary>
public sealed class MetricsReaderTests : IDisposable
{
    private readonly MetricsReader _reader = new();
    private readonly Meter _meter = new("Broker.Tests.Telemetry");

    public void Dispose()
    {
        _meter.Dispose();
        _reader.Dispose();
    }

    [Fact]
    public void A_counter_adds_up_by_its_tags_and_text_is_escaped()
    {
        var counter = _meter.CreateCounter<long>("broker.tests.things", "{thing}", "First \\ line\nand second.");
        counter.Add(2, new KeyValuePair<string, object?>("kind.of", "a \"quoted\" \\ thing\n"));
        counter.Add(3, new KeyValuePair<string, object?>("kind.of", "a \"quoted\" \\ thing\n"));
        counter.Add(5);

        var text = _reader.Read();
        var page = new PrometheusText(text);

        Assert.Equal("counter", page.Types["broker_tests_things_total"]);
        Assert.Equal(5, page["broker_tests_things_total{kind_of=\"a \\\"quoted\\\" \\\\ thing\\n\"}"]);
        Assert.Equal(5, page["broker_tests_things_total"]);
        Assert.Contains("# HELP broker_tests_things_total First \\\\ line\\nand second.\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_histogram_counts_a_value_at_a_bound_below_it()
    {
        var bounds = new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] };
        var histogram = _meter.CreateHistogram("broker.tests.time", "s", "Time.", advice: bounds);
        foreach (var value in (double[])[0.05, 0.1, 0.2, 1, 7])
        {
            histogram.Record(value);
        }

        var page = new PrometheusText(_reader.Read());

        Assert.Equal(2, page["broker_tests_time_seconds_bucket{le=\"0.1\"}"]);
        Assert.Equal(4, page["broker_tests_time_seconds_bucket{le=\"1\"}"]);
        Assert.Equal(5, page["broker_tests_time_seconds_bucket{le=\"+Inf\"}"]);
        Assert.Equal(5, page["broker_tests_time_seconds_count"]);
        Assert.Equal(8.35, page["broker_tests_time_seconds_sum"], 6);
    }

    [Fact]
    public void What_is_not_observed_any_more_is_not_shown_any_more()
    {
        List<Measurement<int>> present = [Of("a", 1), Of("b", 2)];
        _meter.CreateObservableGauge("broker.tests.present", () => present);
        var page = new PrometheusText(_reader.Read());
        Assert.Equal((1, 2), (page["broker_tests_present{name=\"a\"}"], page["broker_tests_present{name=\"b\"}"]));

        present = [Of("b", 3)];
        page = new PrometheusText(_reader.Read());

        Assert.Equal("broker_tests_present{name=\"b\"}", Assert.Single(page.Series, static s => s.StartsWith("broker_tests_present", StringComparison.Ordinal)));
        Assert.Equal(3, page["broker_tests_present{name=\"b\"}"]);

        static Measurement<int> Of(string name, int value) => new(value, new KeyValuePair<string, object?>("name", name));
    }

    [Fact]
    public void Two_instruments_of_one_name_are_one_metric()
    {
        using var other = new Meter("Broker.Tests.Other");
        _meter.CreateObservableGauge("broker.tests.depth", () => new Measurement<int>(1, new KeyValuePair<string, object?>("edge", "inbox")), "By");
        other.CreateObservableGauge("broker.tests.depth", () => new Measurement<int>(2, new KeyValuePair<string, object?>("edge", "shared")), "By");

        var page = new PrometheusText(_reader.Read());

        Assert.Equal("gauge", page.Types["broker_tests_depth_bytes"]);
        Assert.Equal(3, page.Sum("broker_tests_depth_bytes"));
    }

    [Fact]
    public void Instruments_of_others_are_not_shown()
    {
        using var foreign = new Meter("Somebody.Else");
        foreign.CreateCounter<int>("broker.tests.foreign").Add(1);

        Assert.DoesNotContain("foreign", _reader.Read(), StringComparison.Ordinal);
    }
}
