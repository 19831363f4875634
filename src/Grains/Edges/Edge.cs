namespace Broker.Grains.Edges;

/// <summary>
/// The way from one source to one target, with natural batching: while a call is outstanding, everything that is posted
/// joins the next one. Idle means calls with one item and the lowest latency, load means large calls and the lowest cost;
/// there is no timer.
/// <para>
/// Order: one call is in flight, and a call that fails is made again with the same items and the same number before
/// anything later goes. The receiver discards a number that it has handled (<see cref="RepeatGuard{T}"/>), so that an item
/// is handled once although a failed call may have arrived.
/// </para>
/// <para>
/// Bounds: by count and bytes. A full edge takes nothing; who posts waits with <see cref="WaitForRoomAsync"/>, which
/// completes when half of the bound is free, and thereby slows the socket it reads from.
/// </para>
/// <para>End: when the target is gone, the items that wait are given back to it as undeliverable, once, in order.</para>
/// </summary>
public sealed class Edge<T> : IThreadPoolWorkItem
{
    private readonly IEdgeTarget<T> _target;
    private readonly EdgeOptions _options;
    private readonly EdgeMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Queue<T> _waiting = new();
    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<T> _batch = [];
    private TaskCompletionSource<bool>? _room;
    private int _count;
    private long _bytes;
    private long _number;
    private long _posted;
    private long _answered;
    private List<(long Upto, TaskCompletionSource Done)>? _drains;
    private long _silentSince;
    private bool _isRunning;
    private volatile bool _isClosed;

    public Edge(IEdgeTarget<T> target, EdgeOptions options, EdgeMetrics metrics, TimeProvider time)
    {
        _target = target;
        _options = options;
        _metrics = metrics;
        _time = time;
    }

    /// <summary>Items that wait or are in flight.</summary>
    public int Depth => Volatile.Read(ref _count);

    /// <summary>Their size in bytes.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>How long the call in flight has had no answer, its repetitions included; zero when there is none.</summary>
    public TimeSpan Silence
    {
        get
        {
            var since = Volatile.Read(ref _silentSince);
            return since == 0 ? TimeSpan.Zero : _time.GetElapsedTime(since);
        }
    }

    /// <summary>Whether a post would be refused for want of room.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate)
            {
                return IsFullNow;
            }
        }
    }

    private bool IsFullNow => _count >= _options.MaxItems || _bytes >= _options.MaxBytes;

    /// <summary>Takes an item if there is room. Never blocks and never runs the target's code on the caller's thread.</summary>
    /// <param name="mayOverfill">Taken without room as well: for who has begun something and stops before the next.</param>
    public PostResult Post(T item, bool mayOverfill = false)
    {
        var bytes = _target.BytesOf(item);
        lock (_gate)
        {
            if (_isClosed)
            {
                return PostResult.Gone;
            }

            if (IsFullNow && !mayOverfill)
            {
                return PostResult.Full;
            }

            _posted++;
            _waiting.Enqueue(item);
            Change(1, bytes);
            if (_isRunning)
            {
                return PostResult.Taken;
            }

            _isRunning = true;
        }

        // A hop to the pool is small beside a call to another silo. It lets what a reader posts in one go leave together,
        // and keeps the poster's grain and ambient context out of calls that carry the items of others.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
        return PostResult.Taken;
    }

    /// <summary>Posts, waiting for room as long as it takes. One caller's items keep their order if it awaits each.</summary>
    /// <returns>False when the target is gone; the item was not taken.</returns>
    public async ValueTask<bool> PostAsync(T item, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            switch (Post(item))
            {
                case PostResult.Taken:
                    return true;
                case PostResult.Gone:
                    return false;
                case PostResult.Full:
                default:
                    if (!await WaitForRoomAsync(cancellationToken))
                    {
                        return false;
                    }

                    break;
            }
        }
    }

    /// <summary>Completes at once when there is room, else when half of the bound is free.</summary>
    /// <returns>False when the target is gone.</returns>
    public ValueTask<bool> WaitForRoomAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_isClosed || !IsFullNow)
            {
                return ValueTask.FromResult(!_isClosed);
            }

            _room ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask<bool>(_room.Task.WaitAsync(cancellationToken));
        }
    }

    /// <summary>Completes when everything posted so far has been handed over or given back.</summary>
    public Task DrainedAsync()
    {
        lock (_gate)
        {
            if (_answered >= _posted)
            {
                return Task.CompletedTask;
            }

            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (_drains ??= []).Add((_posted, done));
            return done.Task;
        }
    }

    /// <summary>
    /// The target is gone: nothing more is taken, what waits is given back; what is in flight as soon as its call has ended.
    /// </summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            _room?.TrySetResult(false);
            _room = null;
        }

        // Ends the pump's pause; a call in flight it lets end by itself.
        _closing.TrySetResult();
    }

    /// <summary>Closes it if nothing waits and nothing is in flight.</summary>
    /// <returns>Whether it is closed now.</returns>
    public bool CloseIfIdle()
    {
        lock (_gate)
        {
            _isClosed |= !_isRunning;
            return _isClosed;
        }
    }

    /// <inheritdoc />
    void IThreadPoolWorkItem.Execute() => _ = PumpAsync();

    private async Task PumpAsync()
    {
        while (TakeBatch())
        {
            if (!await SendAsync())
            {
                GiveBack();
                return;
            }
        }
    }

    private async Task<bool> SendAsync()
    {
        _number++;
        Volatile.Write(ref _silentSince, _time.GetTimestamp());
        var pause = _options.FirstRetry;
        while (!_isClosed)
        {
            try
            {
                await _target.SendAsync(_batch, _number).ConfigureAwait(false);
                Volatile.Write(ref _silentSince, 0);
                _metrics.Sent(_batch.Count);
                return true;
            }
            catch (Exception)
            {
                // Whatever it was, the outcome is unknown: the same batch goes again, until the target is known to be gone.
                _metrics.Failed();
                if (_target.IsGone)
                {
                    Close();
                    return false;
                }
            }

            await Task.WhenAny(Task.Delay(pause, _time), _closing.Task).ConfigureAwait(false);
            pause = pause * 2 < _options.LastRetry ? pause * 2 : _options.LastRetry;
        }

        return false;
    }

    private bool TakeBatch()
    {
        lock (_gate)
        {
            Change(-_batch.Count, -SizeOf(_batch));
            Answered(_batch.Count);
            _batch.Clear();
            var bytes = 0L;
            while (_batch.Count < _options.MaxBatchItems && _waiting.TryPeek(out var item))
            {
                var size = _target.BytesOf(item);
                if (_batch.Count > 0 && bytes + size > _options.MaxBatchBytes)
                {
                    break;
                }

                bytes += size;
                _batch.Add(_waiting.Dequeue());
            }

            _isRunning = _batch.Count > 0;
            if (_room is not null && _count <= _options.MaxItems / 2 && _bytes <= _options.MaxBytes / 2)
            {
                _room.TrySetResult(true);
                _room = null;
            }

            return _isRunning;
        }
    }

    private void GiveBack()
    {
        List<T> items;
        lock (_gate)
        {
            items = [.. _batch, .. _waiting];
            _batch.Clear();
            _waiting.Clear();
            Change(-items.Count, -SizeOf(items));
        }

        _metrics.Undeliverable(items.Count);
        _target.Undeliverable(items);
        lock (_gate)
        {
            Answered(items.Count);
            _isRunning = false;
        }
    }

    private void Answered(int count)
    {
        _answered += count;
        _drains?.FindAll(d => d.Upto <= _answered).ForEach(static d => d.Done.TrySetResult());
        _drains?.RemoveAll(d => d.Upto <= _answered);
    }

    private long SizeOf(List<T> items)
    {
        var bytes = 0L;
        foreach (var item in items)
        {
            bytes += _target.BytesOf(item);
        }

        return bytes;
    }

    private void Change(int items, long bytes)
    {
        _count += items;
        _bytes += bytes;
        _metrics.Changed(items, bytes);
    }
}

/// <summary>What an edge did with an item.</summary>
public enum PostResult
{
    /// <summary>It will be handed over or given back.</summary>
    Taken,

    /// <summary>There is no room for it.</summary>
    Full,

    /// <summary>The target is gone.</summary>
    Gone,
}
