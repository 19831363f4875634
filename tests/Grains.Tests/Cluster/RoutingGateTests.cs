using Broker.Grains.Cluster;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

public sealed class RoutingGateTests : IDisposable
{
    private readonly RoutingGate _gate = new();

    public void Dispose() => _gate.Dispose();

    [Fact]
    public async Task It_waits_for_what_has_begun_and_not_for_what_begins_later()
    {
        var before = _gate.Enter();
        var passed = _gate.PassedAsync();
        var after = _gate.Enter();
        await Task.Delay(50);
        Assert.False(passed.IsCompleted);

        _gate.Exit(before);
        await passed.WaitAsync(TimeSpan.FromSeconds(10));

        _gate.Exit(after);
        await _gate.PassedAsync().WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Nothing_that_began_before_is_missed_under_load()
    {
        using var stop = new CancellationTokenSource();
        var begun = new long[4];
        var done = new long[4];
        var workers = Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                var phase = _gate.Enter();
                Interlocked.Increment(ref begun[worker]);
                Thread.SpinWait(20);
                Interlocked.Increment(ref done[worker]);
                _gate.Exit(phase);
            }
        })).ToList();
        for (var round = 0; round < 100; round++)
        {
            var before = begun.Select(static (_, i) => i).Select(i => Interlocked.Read(ref begun[i])).ToList();
            await _gate.PassedAsync().WaitAsync(TimeSpan.FromSeconds(10));
            Assert.All(before, (count, i) => Assert.True(Interlocked.Read(ref done[i]) >= count));
        }

        await stop.CancelAsync();
        await Task.WhenAll(workers);
    }
}
