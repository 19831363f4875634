using Broker.Gateway.Tracing;
using Broker.Grains.Interfaces.Diagnostics;
using Broker.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Gateway.Tests.Telemetry;

/// <summary>The writer of traces takes what its queue has room for, and says what it did not take.</summary>
public sealed class TraceWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _endings = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Events_beyond_the_queue_are_missing_and_the_file_says_where_and_how_many()
    {
        await using var writer = NewWriter(limit: 30);
        var trace = NewTrace("t", 1 << 20);
        foreach (var line in (string[])["first-10-c", "second-10-", "third-10-c", "missing", "missing"])
        {
            writer.Add(trace, line);
        }

        Assert.Equal(2, writer.Missing);
        writer.Start();
        await Eventually.TrueAsync(() => writer.Written == 3, TimeSpan.FromSeconds(10), () => "three are written");
        writer.Add(trace, "later");
        writer.End(trace, "# ended");

        await LinesAsync("t", "first-10-c", "second-10-", "third-10-c", "# 2 events are missing here: they came faster than they could be written", "later", "# ended");
        Assert.Equal((4, 2), (trace.Report().Lines, trace.Report().Missing));
    }

    [Fact]
    public async Task Full_file_ends_its_trace_and_no_other()
    {
        await using var writer = NewWriter(1 << 20);
        var (small, large) = (NewTrace("small", 25), NewTrace("large", 1 << 20));
        writer.Start();
        for (var i = 0; i < 5; i++)
        {
            writer.Add(small, $"line {i} ...");
            writer.Add(large, $"line {i} ...");
        }

        await LinesAsync("large", [.. Enumerable.Range(0, 5).Select(static i => $"line {i} ...")]);
        await LinesAsync("small", "line 0 ...", "line 1 ...", "# ended: the file is as large as it may be");
        Assert.Equal(["small: the file is full"], _endings);
    }

    private static TraceSpec SpecOf(string name) => new() { Name = name, ClientId = "x", EndsAt = 0 };

    private TraceWriter NewWriter(int limit) =>
        new((trace, why) => _endings.Add($"{trace.Spec.Name}: {why}"), NullLogger<TraceWriter>.Instance, limit);

    private Trace NewTrace(string name, long limit) =>
        new(SpecOf(name), new TraceFile(_folder.File(name), limit, continues: false), DateTimeOffset.UnixEpoch);

    private async Task LinesAsync(string name, params string[] expected)
    {
        List<string> lines = [];
        await Eventually.TrueAsync(
            () => (lines = ReadLines(name)).SequenceEqual(expected), TimeSpan.FromSeconds(10), () => string.Join('\n', lines));
    }

    private List<string> ReadLines(string name)
    {
        using var file = new FileStream(_folder.File(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return [.. new StreamReader(file).ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }
}
