using System.Diagnostics;

namespace Broker.TestKit;

/// <summary>Bounded waits for conditions that nothing announces.</summary>
public static class Eventually
{
    // 20 ms: short against every limit used here, long against the cost of a check.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static Task TrueAsync(Func<bool> condition, TimeSpan limit, Func<string> describe) =>
        TrueAsync(() => Task.FromResult(condition()), limit, describe);

    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan limit, Func<string> describe)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > limit)
            {
                throw new TestFailureException($"not within {limit.TotalSeconds} s: {describe()}");
            }

            await Task.Delay(Pause);
        }
    }

    /// <summary>The same limit for a task, with words instead of a bare time-out.</summary>
    public static async Task WithinAsync(this Task task, TimeSpan limit, Func<string> describe)
    {
        if (await Task.WhenAny(task, Task.Delay(limit)) != task)
        {
            throw new TestFailureException($"not within {limit.TotalSeconds} s: {describe()}");
        }

        await task;
    }
}
