using Broker.Grains.Cluster;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

public sealed class RoutingGateTests
{
    private readonly RoutingGate _gate = new();

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
    public async Task Who_asks_meanwhile_waits_for_what_has_begun_by_then()
    {
        var first = _gate.Enter();
        var one = _gate.PassedAsync();
        var second = _gate.Enter();
        var two = _gate.PassedAsync();
        var three = _gate.PassedAsync();
        _gate.Exit(first);
        await one.WaitAsync(TimeSpan.FromSeconds(10));
        await Task.Delay(50);
        Assert.False(two.IsCompleted);
        Assert.False(three.IsCompleted);

        _gate.Exit(second);
        await Task.WhenAll(two, three).WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Nothing_that_began_before_is_missed_under_load()
    {
        using var stop = new CancellationTokenSource();
        var begun = new long[4];
        var done = new long[4];

        // On threads of their own: who never lets go of a thread of the pool starves every other test of the process.
        var workers = Enumerable.Range(0, 4).Select(worker => new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                var phase = _gate.Enter();
                Interlocked.Increment(ref begun[worker]);
                Thread.SpinWait(20);
                Interlocked.Increment(ref done[worker]);
                _gate.Exit(phase);
                Thread.Yield();
            }
        })
        { IsBackground = true }).ToList();
        workers.ForEach(static worker => worker.Start());
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => PassAsync(begun, done)));
        await stop.CancelAsync();
        workers.ForEach(static worker => worker.Join());
    }

    private async Task PassAsync(long[] begun, long[] done)
    {
        for (var round = 0; round < 100; round++)
        {
            var before = begun.Select(static (_, i) => i).Select(i => Interlocked.Read(ref begun[i])).ToList();
            await _gate.PassedAsync().WaitAsync(TimeSpan.FromSeconds(10));
            Assert.All(before, (count, i) => Assert.True(Interlocked.Read(ref done[i]) >= count));
        }
    }
}
