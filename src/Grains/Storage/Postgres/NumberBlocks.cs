namespace Broker.Grains.Storage.Postgres;

/// <summary>
/// Numbers out of blocks that a sequence of the database gives to this silo alone. The next block is fetched when half of
/// the current one is used, so a caller waits only if the store has been unreachable for the other half (8 million messages).
/// Blocks come in ascending order; what is left of a block at the end of the process is never used.
/// </summary>
/// <param name="fetch">Gets the first number of a new block and how many there are.</param>
/// <param name="patience">How long a caller waits for a block before it is told that there is none.</param>
internal sealed class NumberBlocks(Func<(long First, long Count)> fetch, TimeSpan patience)
{
    private readonly object _gate = new();
    private Block _current = new(0, 0);
    private Block? _next;
    private bool _isFetching;

    /// <summary>Fetches the first block.</summary>
    public void Open()
    {
        var (first, count) = fetch();
        _current = new Block(first, count);
    }

    public long Next()
    {
        while (true)
        {
            var block = Volatile.Read(ref _current);
            var used = Interlocked.Increment(ref block.Used);
            if (used <= block.Count)
            {
                // Again and again in the second half, should the store be out of reach for a while.
                if (used >= block.Count / 2 && used % Math.Max(1, block.Count / 16) == 0)
                {
                    FetchAhead();
                }

                return block.First + used - 1;
            }

            Advance(block);
        }
    }

    /// <summary>Whether the number may be one of this process: no other silo has it then.</summary>
    public bool MayHaveGiven(long number)
    {
        var block = Volatile.Read(ref _current);
        return number >= block.First && number < block.First + Math.Min(Volatile.Read(ref block.Used), block.Count);
    }

    private void Advance(Block exhausted)
    {
        lock (_gate)
        {
            var deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
            while (ReferenceEquals(_current, exhausted))
            {
                if (_next is { } next)
                {
                    _next = null;
                    Volatile.Write(ref _current, next);
                    return;
                }

                FetchAhead();
                var left = deadline - Environment.TickCount64;
                if (left <= 0 || !Monitor.Wait(_gate, TimeSpan.FromMilliseconds(Math.Min(left, 100))))
                {
                    if (Environment.TickCount64 >= deadline)
                    {
                        throw new StoreException("The store has given no new numbers for too long.");
                    }
                }
            }
        }
    }

    private void FetchAhead()
    {
        lock (_gate)
        {
            if (_isFetching || _next is not null)
            {
                return;
            }

            _isFetching = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static blocks => blocks.Fetch(), this, preferLocal: false);
    }

    private void Fetch()
    {
        Block? block = null;
        try
        {
            var (first, count) = fetch();
            block = new Block(first, count);
        }
        catch (StoreException)
        {
            // Whoever needs a number asks again; the writer reports the outage.
        }
        finally
        {
            lock (_gate)
            {
                _next ??= block;
                _isFetching = false;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private sealed class Block(long first, long count)
    {
        public readonly long First = first;
        public readonly long Count = count;
        public long Used;
    }
}
