namespace Broker.Grains.Storage;

/// <summary>
/// Does for many callers at once what each asks for alone: whatever is asked while as many batches as may be are under way goes
/// into the next. Who is alone waits for nobody.
/// </summary>
/// <typeparam name="TItem">What is asked.</typeparam>
/// <typeparam name="TResult">The answer.</typeparam>
/// <param name="most">Items of one batch.</param>
/// <param name="run">Answers each of a batch; those it leaves without an answer get its error.</param>
/// <param name="parallel">Batches at a time.</param>
internal sealed class Gathering<TItem, TResult>(
    int most, Func<IReadOnlyList<Gathering<TItem, TResult>.Asked>, Task> run, int parallel = 1)
    : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly Queue<Asked> _waiting = new();
    private int _running;

    /// <summary>Completes with the answer, or fails with the error of its batch.</summary>
    public Task<TResult> AskAsync(TItem item)
    {
        var asked = new Asked(item);
        lock (_gate)
        {
            _waiting.Enqueue(asked);
            if (_running == parallel)
            {
                return asked.Answer;
            }

            _running++;
        }

        // Not on the caller's scheduler, which may be a grain's, nor in its context: the batch is everybody's.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return asked.Answer;
    }

    /// <inheritdoc />
    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        while (Take() is { Count: > 0 } batch)
        {
            try
            {
                await run(batch);
                batch.ForEach(static asked => asked.Fail(new InvalidOperationException("It was left without an answer.")));
            }
            catch (Exception error)
            {
                batch.ForEach(asked => asked.Fail(error));
            }
        }
    }

    private List<Asked> Take()
    {
        var batch = new List<Asked>();
        lock (_gate)
        {
            while (batch.Count < most && _waiting.TryDequeue(out var asked))
            {
                batch.Add(asked);
            }

            if (batch.Count == 0)
            {
                _running--;
            }
        }

        return batch;
    }

    /// <summary>One that is asked, and waits for its answer.</summary>
    public sealed class Asked(TItem item)
    {
        private readonly TaskCompletionSource<TResult> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TItem Item => item;

        public Task<TResult> Answer => _answer.Task;

        /// <summary>Answers it, unless it has its answer.</summary>
        public void Set(TResult result) => _answer.TrySetResult(result);

        /// <summary>The same, by an error.</summary>
        public void Fail(Exception error) => _answer.TrySetException(error);
    }
}
