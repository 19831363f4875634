using Broker.Grains.Messages;

namespace Broker.Grains.Topics;

/// <summary>
/// Message ids that a silo has lately had from other silos, and those that sessions which moved here had where they were
/// before. Removes the second copy of a message that came through two filters, or directly and through the Topic grain.
/// </summary>
/// <param name="capacity">
/// Ids of each kind remembered, about 80 bytes each; the oldest go first. It has to cover what can be under way on the
/// edges at once: a copy is late by the depth of one edge, and one that is later than this is delivered again.
/// </param>
public sealed class RecentMessages(int capacity = 64 * 1024)
{
    private readonly Ring<MessageId> _arrived = new(capacity);
    private readonly Ring<(string ClientId, MessageId Id)> _moved = new(capacity);
    private readonly Lock _gate = new();
    private long _repeats;
    private bool _hasMoved;

    /// <summary>Copies removed.</summary>
    public long Repeats => Volatile.Read(ref _repeats);

    /// <summary>True for the first copy of a message that arrives here.</summary>
    public bool IsFirst(MessageId id)
    {
        lock (_gate)
        {
            if (_arrived.Add(id))
            {
                return true;
            }

            _repeats++;
            return false;
        }
    }

    /// <summary>A session has moved here. Before its interest is announced, so that no copy comes first.</summary>
    /// <param name="delivered">Ids it was given where it came from, as far as copies of them may still be under way.</param>
    public void Moved(string clientId, IEnumerable<MessageId> delivered)
    {
        lock (_gate)
        {
            foreach (var id in delivered)
            {
                _moved.Add((clientId, id));
                _hasMoved = true;
            }
        }
    }

    /// <summary>Whether any session has moved here lately; without it <see cref="HadBefore"/> need not be asked.</summary>
    public bool HasMoved => Volatile.Read(ref _hasMoved);

    /// <summary>Whether a session was given a message before it moved here.</summary>
    public bool HadBefore(string clientId, MessageId id)
    {
        lock (_gate)
        {
            return _moved.Contains((clientId, id));
        }
    }

    private sealed class Ring<TKey>(int capacity)
        where TKey : notnull
    {
        private readonly HashSet<TKey> _keys = [];
        private readonly Queue<TKey> _order = new();

        public bool Contains(TKey key) => _keys.Contains(key);

        public bool Add(TKey key)
        {
            if (!_keys.Add(key))
            {
                return false;
            }

            if (_order.Count == capacity)
            {
                _keys.Remove(_order.Dequeue());
            }

            _order.Enqueue(key);
            return true;
        }
    }
}
