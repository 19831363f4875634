using System.Diagnostics;
using Broker.Grains.Options;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Hooks;

/// <summary>
/// Calls hooks so that whatever they do costs their own budget: a time limit for each call, a number of calls at a time, and exceptions end here.
/// </summary>
public sealed partial class HookCalls(HookOptions options, HookMetrics metrics, ILogger<HookCalls> logger)
{
    private readonly ILogger _logger = logger;

    /// <summary>Calls of one hook at a time.</summary>
    public int MaxConcurrentCalls => options.MaxConcurrentCalls;

    /// <summary>Events that may wait for one hook.</summary>
    public int MaxQueuedEvents => options.MaxQueuedEvents;

    /// <summary>Bytes that they may take.</summary>
    public long MaxQueuedBytes => options.MaxQueuedBytes;

    /// <summary>Calls a hook. Null when it threw or took too long; that is logged and counted.</summary>
    internal ValueTask<TResult?> CallAsync<THook, TState, TResult>(
        HookSlot<THook> slot, TState state, Func<THook, TState, CancellationToken, ValueTask<TResult>> call)
        where THook : class, IHook
        where TResult : struct
    {
        if (!slot.Hook.NeverBlocks)
        {
            return CallElsewhereAsync(slot, state, call);
        }

        try
        {
            var answer = call(slot.Hook, state, CancellationToken.None);
            return answer.IsCompletedSuccessfully
                ? new ValueTask<TResult?>(answer.Result)
                : WaitAsync(slot, answer.AsTask(), options.TimeLimit);
        }
        catch (Exception error)
        {
            Failed(slot.Name, error);
            return default;
        }
    }

    private async ValueTask<TResult?> CallElsewhereAsync<THook, TState, TResult>(
        HookSlot<THook> slot, TState state, Func<THook, TState, CancellationToken, ValueTask<TResult>> call)
        where THook : class, IHook
        where TResult : struct
    {
        var start = Stopwatch.GetTimestamp();
        if (!await slot.Free.WaitAsync(options.TimeLimit))
        {
            // As many calls as it may have hang.
            Failed(slot.Name, new TimeoutException("No call of the hook has returned in time."));
            return default;
        }

        var left = options.TimeLimit - Stopwatch.GetElapsedTime(start);
        var answer = Task.Run(async () =>
        {
            using var over = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            try
            {
                return await call(slot.Hook, state, over.Token);
            }
            finally
            {
                slot.Free.Release();
            }
        });
        return await WaitAsync(slot, answer, left);
    }

    private async ValueTask<TResult?> WaitAsync<THook, TResult>(HookSlot<THook> slot, Task<TResult> answer, TimeSpan limit)
        where THook : class, IHook
        where TResult : struct
    {
        try
        {
            return await answer.WaitAsync(limit > TimeSpan.Zero ? limit : TimeSpan.Zero);
        }
        catch (Exception error)
        {
            // Whatever it is, it is the hook's: it counts as its OnFailure says, and who waits goes on.
            Failed(slot.Name, error);
            answer.Ignore();
            return default;
        }
    }

    /// <summary>Tells a hook of an event; returns when it has taken it, or its time is over.</summary>
    internal async Task TellAsync(string hook, BrokerEvent happened, Func<BrokerEvent, CancellationToken, ValueTask> tell)
    {
        using var over = new CancellationTokenSource(options.TimeLimit);
        Task? call = null;
        try
        {
            call = tell(happened, over.Token).AsTask();
            await call.WaitAsync(options.TimeLimit);
        }
        catch (Exception error)
        {
            // The hook's own fault; the next event comes.
            Failed(hook, error);
            call?.Ignore();
        }
    }

    /// <summary>An event was lost to a hook whose queue is full.</summary>
    internal void Untold(string hook) => metrics.Untold(hook);

    internal void Failed(string hook, Exception error)
    {
        metrics.Failed(hook);
        LogFailed(hook, error);
    }

    [LoggerMessage(600, LogLevel.Warning, "Hook {Hook} failed")]
    private partial void LogFailed(string hook, Exception error);
}
