using Broker.Grains.Messages;
using Broker.Grains.Storage;

namespace Broker.Grains.Delayed;

/// <summary>Messages that are published in one go, and publishers of which one has to wait, so that its later ones wait too (promise 3).</summary>
internal sealed class DelayedTurn
{
    private readonly HashSet<string> _held = new(StringComparer.Ordinal);

    /// <param name="rows">What the store still has of <paramref name="keys"/>.</param>
    /// <param name="keys">In the order in which they are due.</param>
    /// <param name="mayRepeat">Whether there are other silos, which may have had a marked message.</param>
    public DelayedTurn(Dictionary<MessageId, DelayedRow> rows, List<DelayedKey> keys, bool mayRepeat)
    {
        foreach (var key in keys)
        {
            if (!rows.TryGetValue(key.Id, out var row))
            {
                continue;
            }

            if (mayRepeat && row.PublishedAs != MessageId.None)
            {
                Repeated.Add(row);
                _held.Add(row.Message.Publisher);
            }
            else
            {
                Fresh.Add(row);
            }
        }
    }

    /// <summary>Published for the first time.</summary>
    public List<DelayedRow> Fresh { get; } = [];

    /// <summary>Published before, by whoever did not come to its end.</summary>
    public List<DelayedRow> Repeated { get; } = [];

    /// <summary>Of QoS 0.</summary>
    public List<DelayedRow> AtMostOnce { get; } = [];

    /// <summary>Whether any message has to be looked at again.</summary>
    public bool HasHeld { get; private set; }

    /// <summary>Whether an earlier message of the publisher has not gone yet; then this one waits as well.</summary>
    public bool IsHeld(DelayedRow row)
    {
        var isHeld = _held.Contains(row.Message.Publisher);
        HasHeld |= isHeld;
        return isHeld;
    }

    /// <summary>The message waits, and with it what its publisher sent after it.</summary>
    public void Hold(DelayedRow row)
    {
        _held.Add(row.Message.Publisher);
        HasHeld = true;
    }
}
