using System.Buffers;
using System.IO.Pipelines;

namespace Broker.Gateway.Connections;

/// <summary>
/// What is to be sent to one client. Any thread appends under a short lock; whoever flushes first becomes the writer until
/// the buffer is empty, and what arrives meanwhile joins its next write. Holds no memory while there is nothing to send.
/// </summary>
/// <param name="budget">Bytes that may wait for a client that does not read; PUBLISH packets beyond it are refused.</param>
/// <param name="drained">Called when a refused output has room again.</param>
/// <param name="metrics">Told how many bytes the transport takes.</param>
internal sealed class ClientOutput(PipeWriter writer, int budget, ConnectionMetrics metrics, Action drained) : IFlushable
{
    private const int FirstBuffer = 512;

    private readonly Lock _gate = new();
    private byte[] _pending = [];
    private int _length;
    private long _unsent;
    private bool _isDirty;
    private bool _isWriting;
    private bool _wasFull;
    private bool _isClosed;
    private bool _isSealed;
    private bool _isEnding;
    private TaskCompletionSource? _idle;
    private TaskCompletionSource? _room;

    /// <summary>
    /// Reserves room for a packet and lets <paramref name="write"/> fill it. False when the budget is used up, unless
    /// <paramref name="isControl"/>, or the connection is closed. Nothing is written after a packet that <paramref name="isLast"/>.
    /// </summary>
    public bool TryWrite<TState>(int size, bool isControl, ref TState state, SpanWriter<TState> write, bool isLast = false)
        where TState : allows ref struct
    {
        bool isFirst;
        lock (_gate)
        {
            if (_isClosed || _isSealed)
            {
                return false;
            }

            // A packet larger than the whole budget may go when nothing waits, or it never could.
            if (!isControl && _unsent > 0 && _unsent + size > budget)
            {
                _wasFull = true;
                return false;
            }

            // Room is for the largest form that it may have; what counts is what was written.
            Reserve(size);
            var written = write(_pending.AsSpan(_length), ref state);
            _length += written;
            _unsent += written;
            _isSealed = isLast;
            isFirst = !_isDirty;
            _isDirty = true;
        }

        if (isFirst)
        {
            FlushBatch.Add(this);
        }

        return true;
    }

    /// <summary>Whether <see cref="TryWrite"/> refuses because of the close and not of the budget.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_gate)
            {
                return _isClosed || _isSealed;
            }
        }
    }

    /// <summary>Bytes that have not been taken by the transport.</summary>
    public long Unsent
    {
        get
        {
            lock (_gate)
            {
                return _unsent;
            }
        }
    }

    /// <summary>Whether more waits than the budget allows: the client does not read its acknowledgements either.</summary>
    public bool IsOverBudget => Volatile.Read(ref _unsent) > budget;

    /// <summary>Completes when half of the budget is free, or the connection ends. Nothing is read from the client meanwhile.</summary>
    public Task WaitForRoomAsync()
    {
        lock (_gate)
        {
            if (_isClosed || _isEnding || _unsent <= budget / 2)
            {
                return Task.CompletedTask;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    /// <summary>The connection ends: nobody waits for room any more, which a client that does not read may never make.</summary>
    public void EndWaiting()
    {
        lock (_gate)
        {
            _isEnding = true;
            _room?.TrySetResult();
        }
    }

    /// <inheritdoc />
    public void Flush()
    {
        if (TakePending(out var buffer, out var length, isStart: true))
        {
            WriteLoop(buffer, length);
        }
    }

    void IThreadPoolWorkItem.Execute() => Flush();

    /// <summary>Nothing more is accepted; completes when what was accepted has been handed to the transport.</summary>
    public Task CloseAsync()
    {
        lock (_gate)
        {
            _isClosed = true;
            _room?.TrySetResult();
            if (!_isWriting && _length == 0)
            {
                return Task.CompletedTask;
            }

            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        Flush();
        return _idle.Task;
    }

    private void Reserve(int size)
    {
        if (_pending.Length - _length >= size)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(FirstBuffer, _pending.Length * 2), _length + size));
        _pending.AsSpan(0, _length).CopyTo(larger);
        Return(_pending);
        _pending = larger;
    }

    private static void Return(byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool TakePending(out byte[] buffer, out int length, bool isStart)
    {
        lock (_gate)
        {
            _isDirty = false;
            (buffer, length) = (_pending, _length);
            if (isStart && (_isWriting || length == 0))
            {
                return false;
            }

            _isWriting = length > 0;
            if (!_isWriting)
            {
                _idle?.TrySetResult();
                return false;
            }

            _pending = [];
            _length = 0;
            return true;
        }
    }

    private void WriteLoop(byte[] buffer, int length)
    {
        do
        {
            writer.Write(buffer.AsSpan(0, length));
            Return(buffer);
            var flush = writer.FlushAsync();
            if (!flush.IsCompleted)
            {
                _ = ContinueAsync(flush, length);
                return;
            }

            if (!Sent(flush, length))
            {
                return;
            }
        }
        while (TakePending(out buffer, out length, isStart: false));
    }

    private async Task ContinueAsync(ValueTask<FlushResult> flush, int length)
    {
        // A transport that fails ends the read loop too, which closes the connection; here it only ends the writing.
        try
        {
            await flush;
        }
        catch (Exception)
        {
            Fail();
            return;
        }

        Sent(length);
        if (TakePending(out var buffer, out var next, isStart: false))
        {
            WriteLoop(buffer, next);
        }
    }

    private bool Sent(ValueTask<FlushResult> flush, int length)
    {
        if (!flush.IsCompletedSuccessfully || flush.Result.IsCompleted)
        {
            Fail();
            return false;
        }

        Sent(length);
        return true;
    }

    private void Sent(int length)
    {
        metrics.Written(length);
        bool hasRoom;
        lock (_gate)
        {
            _unsent -= length;
            hasRoom = _wasFull && _unsent <= budget / 2;
            _wasFull &= !hasRoom;
            if (_unsent <= budget / 2)
            {
                _room?.TrySetResult();
                _room = null;
            }
        }

        if (hasRoom)
        {
            drained();
        }
    }

    private void Fail()
    {
        lock (_gate)
        {
            _isClosed = true;
            _isWriting = false;
            Return(_pending);
            _pending = [];
            _length = 0;
            _idle?.TrySetResult();
            _room?.TrySetResult();
        }
    }
}

/// <summary>Writes a packet and returns its length.</summary>
internal delegate int SpanWriter<TState>(Span<byte> destination, ref TState state)
    where TState : allows ref struct;
