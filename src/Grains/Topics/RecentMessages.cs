using Broker.Grains.Messages;

namespace Broker.Grains.Topics;

/// <summary>
/// Messages that sessions which moved here had where they were before: copies of them may still be under way.
/// </summary>
/// <param name="capacity">Ids remembered, about 80 bytes each; the oldest go first.</param>
public sealed class RecentMessages(int capacity = 64 * 1024)
{
    private readonly HashSet<(string ClientId, MessageId Id)> _keys = [];
    private readonly Queue<(string ClientId, MessageId Id)> _order = new();
    private readonly Lock _gate = new();
    private bool _hasMoved;

    /// <summary>A session has moved here.</summary>
    /// <param name="delivered">Ids it was given where it came from, as far as copies of them may still be under way.</param>
    public void Moved(string clientId, IEnumerable<MessageId> delivered)
    {
        lock (_gate)
        {
            foreach (var id in delivered)
            {
                if (!_keys.Add((clientId, id)))
                {
                    continue;
                }

                if (_order.Count == capacity)
                {
                    _keys.Remove(_order.Dequeue());
                }

                _order.Enqueue((clientId, id));
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
            return _keys.Contains((clientId, id));
        }
    }
}
