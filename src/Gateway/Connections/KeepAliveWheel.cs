namespace Broker.Gateway.Connections;

/// <summary>
/// One timer for the time limits of all connections: a ring of one-second slots. A packet costs its connection a store to
/// a field; only when its slot comes round is the time looked at, and the connection put into the slot of the next look.
/// </summary>
internal sealed class KeepAliveWheel : IDisposable
{
    private const int TickMilliseconds = 1000;

    // Longest look ahead; a later limit is looked at once in between.
    private const int SlotCount = 512;

    private readonly List<ClientConnection>[] _slots = new List<ClientConnection>[SlotCount];
    private readonly Lock _gate = new();
    private readonly Timer _timer;
    private readonly long _startedAt = Environment.TickCount64;
    private long _tick;

    public KeepAliveWheel()
    {
        for (var i = 0; i < SlotCount; i++)
        {
            _slots[i] = [];
        }

        _timer = new Timer(static wheel => ((KeepAliveWheel)wheel!).Tick(), this, TickMilliseconds, TickMilliseconds);
    }

    /// <summary>A new connection: its first look is at the CONNECT time limit.</summary>
    public void Add(ClientConnection connection)
    {
        lock (_gate)
        {
            Place(connection, connection.CheckTime(Environment.TickCount64));
        }
    }

    /// <summary>A connection's limits have changed: it has become a client with a Keep Alive of its own.</summary>
    public void Reschedule(ClientConnection connection)
    {
        lock (_gate)
        {
            if (Take(connection))
            {
                Place(connection, connection.CheckTime(Environment.TickCount64));
            }
            else
            {
                connection.WheelSlot.IsChanged = true;
            }
        }
    }

    public void Remove(ClientConnection connection)
    {
        lock (_gate)
        {
            connection.WheelSlot.IsRemoved = !Take(connection);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        var now = Environment.TickCount64;
        while (_startedAt + ((_tick + 1) * TickMilliseconds) <= now)
        {
            List<ClientConnection> due;
            lock (_gate)
            {
                _tick++;
                ref var slot = ref _slots[_tick % SlotCount];
                due = slot;
                slot = [];
                foreach (var connection in due)
                {
                    connection.WheelSlot.Index = -1;
                }
            }

            foreach (var connection in due)
            {
                Look(connection, now);
            }
        }
    }

    private void Look(ClientConnection connection, long now)
    {
        var next = connection.CheckTime(now);
        lock (_gate)
        {
            var slot = connection.WheelSlot;
            if (!slot.IsRemoved)
            {
                Place(connection, slot.IsChanged ? connection.CheckTime(now) : next);
                slot.IsChanged = false;
            }
        }
    }

    private void Place(ClientConnection connection, long time)
    {
        var ticks = (Math.Max(time, _startedAt) - _startedAt + TickMilliseconds - 1) / TickMilliseconds;
        var tick = Math.Clamp(ticks, _tick + 1, _tick + SlotCount - 1);
        var list = _slots[tick % SlotCount];
        connection.WheelSlot.Index = (int)(tick % SlotCount);
        connection.WheelSlot.Position = list.Count;
        list.Add(connection);
    }

    /// <summary>
    /// Takes a connection out of its slot in constant time: the last one of the slot takes its place. False when it is just being
    /// looked at, or removed.
    /// </summary>
    private bool Take(ClientConnection connection)
    {
        var slot = connection.WheelSlot;
        if (slot.Index < 0)
        {
            return false;
        }

        var list = _slots[slot.Index];
        var last = list[^1];
        list[slot.Position] = last;
        last.WheelSlot.Position = slot.Position;
        list.RemoveAt(list.Count - 1);
        slot.Index = -1;
        return true;
    }

    /// <summary>Where a connection stands in the wheel.</summary>
    internal sealed class Slot
    {
        public int Index { get; set; } = -1;

        public int Position { get; set; }

        /// <summary>Removed while it was being looked at.</summary>
        public bool IsRemoved { get; set; }

        /// <summary>Its limits have changed while it was being looked at.</summary>
        public bool IsChanged { get; set; }
    }
}
