using Broker.TestKit.Wire;

namespace Broker.TestKit.Clients;

/// <summary>Packets received and not yet expected, and how the connection ended.</summary>
internal sealed class Inbox
{
    private readonly Lock _gate = new();
    private readonly LinkedList<ReceivedPacket> _waiting = [];
    private TaskCompletionSource _changed = NewSignal();
    private string? _ending;

    /// <summary>Why no packet will follow; null while the connection is open.</summary>
    public string? Ending
    {
        get
        {
            lock (_gate)
            {
                return _ending;
            }
        }
    }

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    public void Add(ReceivedPacket packet) => Change(() => _waiting.AddLast(packet));

    public void Close(string ending) => Change(() => _ending ??= ending);

    /// <summary>The first packet that fits; null when none came in time or none can come any more.</summary>
    public async Task<ReceivedPacket?> TakeAsync(Func<ReceivedPacket, bool> fits, TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                for (var node = _waiting.First; node is not null; node = node.Next)
                {
                    if (fits(node.Value))
                    {
                        _waiting.Remove(node);
                        return node.Value;
                    }
                }

                if (_ending is not null)
                {
                    return null;
                }

                changed = _changed.Task;
            }

            if (!await SettlesAsync(changed, timeout.Token))
            {
                return null;
            }
        }
    }

    /// <summary>True when the connection ended within the limit.</summary>
    public async Task<bool> ClosesAsync(TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_ending is not null)
                {
                    return true;
                }

                changed = _changed.Task;
            }

            if (!await SettlesAsync(changed, timeout.Token))
            {
                return false;
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static async Task<bool> SettlesAsync(Task changed, CancellationToken timeout)
    {
        try
        {
            await changed.WaitAsync(timeout);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Change(Action change)
    {
        TaskCompletionSource previous;
        lock (_gate)
        {
            change();
            previous = _changed;
            _changed = NewSignal();
        }

        previous.SetResult();
    }
}
