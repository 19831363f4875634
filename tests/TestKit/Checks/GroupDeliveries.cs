namespace Broker.TestKit.Checks;

/// <summary>What the members of a group have got together.</summary>
public sealed class GroupDeliveries
{
    private readonly Dictionary<Sequence, int> _counts = [];
    private readonly Lock _gate = new();

    /// <summary>Messages that came more than once, to whomever.</summary>
    public int Repeated
    {
        get
        {
            lock (_gate)
            {
                return _counts.Values.Count(static count => count > 1);
            }
        }
    }

    /// <summary>Different messages.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _counts.Count;
            }
        }
    }

    public void Add(Sequence message)
    {
        lock (_gate)
        {
            _counts[message] = _counts.GetValueOrDefault(message) + 1;
        }
    }

    /// <summary>Those of the messages that nobody has got.</summary>
    public IReadOnlyList<Sequence> Missing(IEnumerable<Sequence> messages)
    {
        lock (_gate)
        {
            return [.. messages.Where(message => !_counts.ContainsKey(message))];
        }
    }
}
