using Broker.Grains.Messages;

namespace Broker.Grains.Cluster;

/// <summary>
/// Messages that their publishers may publish again (<see cref="ApplicationMessage.MayRepeat"/>) and that were routed on this
/// silo lately. It decides for what no row tells: sessions that end with their connection, and a first publish that comes
/// late, after its repetition.
/// </summary>
/// <param name="capacity">Ids remembered, about 60 bytes each; the oldest go first. A repetition comes within seconds.</param>
public sealed class RepeatableMessages(int capacity = 64 * 1024)
{
    private readonly HashSet<MessageId> _ids = [];
    private readonly Queue<MessageId> _order = new();
    private readonly Lock _gate = new();

    /// <summary>A message is about to be routed here; false when it has been before.</summary>
    public bool TryAdd(MessageId id)
    {
        lock (_gate)
        {
            if (!_ids.Add(id))
            {
                return false;
            }

            if (_order.Count == capacity)
            {
                _ids.Remove(_order.Dequeue());
            }

            _order.Enqueue(id);
            return true;
        }
    }
}
