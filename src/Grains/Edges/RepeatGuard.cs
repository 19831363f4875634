namespace Broker.Grains.Edges;

/// <summary>
/// The receiving end of edges: handles each batch number once. A batch that comes again, because its first call failed on
/// the way back, gets the answer of the first, also while that is still being made.
/// </summary>
/// <typeparam name="T">The answer.</typeparam>
/// <param name="capacity">
/// Edges remembered; the one that has been silent longest is forgotten first. An edge repeats only its last batch, within its
/// retry pause, so this has to exceed the edges that are busy at once.
/// </param>
public sealed class RepeatGuard<T>(int capacity = 1024)
{
    private readonly Dictionary<Guid, LinkedListNode<Entry>> _byEdge = [];
    private readonly LinkedList<Entry> _byUse = new();
    private readonly Lock _gate = new();
    private long _repeats;

    /// <summary>Batches that came again.</summary>
    public long Repeats => Volatile.Read(ref _repeats);

    /// <summary>Runs <paramref name="handle"/> unless the batch has come before.</summary>
    /// <param name="stale">Answer to a batch older than the edge's last: its sender has gone on and does not listen.</param>
    public Task<T> Once(Guid edge, long number, T stale, Func<Task<T>> handle)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_byEdge.TryGetValue(edge, out var known))
            {
                if (number <= known.Value.Number)
                {
                    _repeats++;
                    return number == known.Value.Number ? known.Value.Answer : Task.FromResult(stale);
                }

                _byUse.Remove(known);
                known.Value = new Entry(edge, number, answer.Task);
                _byUse.AddLast(known);
            }
            else
            {
                if (_byEdge.Count == capacity)
                {
                    _byEdge.Remove(_byUse.First!.Value.Edge);
                    _byUse.RemoveFirst();
                }

                _byEdge.Add(edge, _byUse.AddLast(new Entry(edge, number, answer.Task)));
            }
        }

        return RunAsync(edge, number, answer, handle);
    }

    private async Task<T> RunAsync(Guid edge, long number, TaskCompletionSource<T> answer, Func<Task<T>> handle)
    {
        try
        {
            var result = await handle();
            answer.SetResult(result);
            return result;
        }
        catch (Exception e)
        {
            // Not handled: the next attempt of the same number is the first one again.
            Forget(edge, number);
            answer.SetException(e);
            _ = answer.Task.Exception;
            throw;
        }
    }

    private void Forget(Guid edge, long number)
    {
        lock (_gate)
        {
            if (_byEdge.TryGetValue(edge, out var known) && known.Value.Number == number)
            {
                _byEdge.Remove(edge);
                _byUse.Remove(known);
            }
        }
    }

    private readonly record struct Entry(Guid Edge, long Number, Task<T> Answer);
}
