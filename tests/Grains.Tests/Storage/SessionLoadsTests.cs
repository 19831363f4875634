using System.Collections.Concurrent;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres;
using Xunit;

namespace Broker.Grains.Tests.Storage;

/// <summary>Sessions are loaded together; where that fails, each stands for itself.</summary>
public sealed class SessionLoadsTests : IDisposable
{
    private const long Unreadable = 3;

    private readonly ConcurrentQueue<long[]> _loads = [];
    private readonly SemaphoreSlim _goOn = new(0);

    public void Dispose() => _goOn.Dispose();

    [Fact]
    public async Task Load_of_many_that_fails_is_made_again_for_each_and_only_those_fail_that_fail_alone()
    {
        var loads = SessionLoads.Gather(LoadAsync, parallel: 1);
        var first = loads.AskAsync(0);
        await StoreTestExtensions.EventuallyAsync(() => !_loads.IsEmpty, "the first load has begun");
        var others = Enumerable.Range(1, 5).Select(n => loads.AskAsync(n)).ToArray();
        _goOn.Release(10);

        Assert.Equal(["0a", "0b"], await first);
        for (var session = 1; session <= others.Length; session++)
        {
            if (session == Unreadable)
            {
                await Assert.ThrowsAsync<StoreException>(() => others[session - 1]);
            }
            else
            {
                Assert.Equal([$"{session}a", $"{session}b"], await others[session - 1]);
            }
        }

        Assert.Equal([1, 5, 1, 1, 1, 1, 1], _loads.Select(static l => l.Length));
    }

    private async Task<List<(long Session, string Row)>> LoadAsync(long[] sessions)
    {
        _loads.Enqueue(sessions);
        await _goOn.WaitAsync();
        return sessions.Contains(Unreadable)
            ? throw new StoreException("a row that cannot be read")
            : [.. sessions.SelectMany(static s => new[] { (s, $"{s}a"), (s, $"{s}b") })];
    }
}
