using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Grains.Shared;

/// <summary>What members have to say, and who carries it to the group's session.</summary>
internal sealed partial class SharedGroup : IThreadPoolWorkItem
{
    // Of one thread in a row: a connection's reader has a client to serve as well.
    private const int MaxRounds = 16;

    // A store that did not answer is asked again so long after.
    private static readonly TimeSpan StorePause = TimeSpan.FromSeconds(1);

    private readonly Lock _inboxGate = new();
    private List<Settlement> _inbox = [];
    private List<Settlement> _spare = [];
    private bool _mustWake;
    private bool _isDraining;
    private bool _isScheduled;
    private bool _isLoading;

    /// <summary>Ends of loans, in the order in which a returned one is to be put back: the last lent first.</summary>
    public void Put(ReadOnlySpan<Settlement> settlements)
    {
        lock (_inboxGate)
        {
            _inbox.AddRange(settlements);
        }
    }

    /// <summary>A member has room again.</summary>
    /// <returns>Whether something waits for it, so that <see cref="Drain"/> or <see cref="Schedule"/> is due.</returns>
    public bool NoteRoom()
    {
        Interlocked.MemoryBarrier();
        if (!_isStarved)
        {
            return false;
        }

        lock (_inboxGate)
        {
            _mustWake = true;
        }

        return true;
    }

    /// <summary>Empties the inbox on this thread, which holds no session's lock.</summary>
    public void Drain()
    {
        lock (_inboxGate)
        {
            if (_isDraining || !IsLoaded())
            {
                // Whoever does it looks once more before it ends; and what is not loaded cannot be settled.
                return;
            }

            _isDraining = true;
        }

        for (var round = 0; Take(round, out var settlements, out var wake); round++)
        {
            if (wake)
            {
                _isStarved = false;
            }

            Session.Settle(settlements, wake);
            settlements.Clear();
            if (wake && !Session.IsConnected)
            {
                Session.Attach(this, Session.Epoch, ushort.MaxValue);
            }
        }
    }

    /// <summary>Has the inbox emptied by a thread of the pool.</summary>
    public void Schedule()
    {
        lock (_inboxGate)
        {
            if (_isScheduled || _isDraining)
            {
                return;
            }

            _isScheduled = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <inheritdoc />
    void IThreadPoolWorkItem.Execute()
    {
        lock (_inboxGate)
        {
            _isScheduled = false;
        }

        Drain();
    }

    /// <inheritdoc />
    /// <remarks>The session could not read from the store; a client would be asked to come back.</remarks>
    public void Close(ReasonCode reason)
    {
        if (reason == ReasonCode.ServerUnavailable)
        {
            _ = WakeLaterAsync();
        }
    }

    private bool Take(int round, out List<Settlement> settlements, out bool wake)
    {
        lock (_inboxGate)
        {
            settlements = _inbox;
            wake = _mustWake;
            _isDraining = (settlements.Count > 0 || wake) && round < MaxRounds;
            if (_isDraining)
            {
                _mustWake = false;
                (_inbox, _spare) = (_spare, _inbox);
                return true;
            }

            if (settlements.Count == 0 && !wake)
            {
                return false;
            }
        }

        Schedule();
        return false;
    }

    private async Task WakeLaterAsync()
    {
        await Task.Delay(StorePause, _time);
        lock (_inboxGate)
        {
            _mustWake = true;
        }

        Schedule();
    }

    /// <summary>The session of a group from the store is loaded when there is something to do. Under the inbox's lock.</summary>
    private bool IsLoaded()
    {
        if (!_isLoaded && !_isLoading && (_mustWake || _inbox.Count > 0))
        {
            // Elsewhere: it takes the session's lock, and whoever has that may want the inbox.
            _isLoading = true;
            _ = Task.Run(LoadAsync);
        }

        return _isLoaded;
    }

    private async Task LoadAsync()
    {
        await Session.WakeAsync();
        var state = Session.State;
        lock (_inboxGate)
        {
            _isLoaded = state is SessionState.Ready or SessionState.Ended;
            _isLoading = false;
        }

        if (state is SessionState.Ready or SessionState.Ended)
        {
            Drain();
        }
        else
        {
            await WakeLaterAsync();
        }
    }
}
