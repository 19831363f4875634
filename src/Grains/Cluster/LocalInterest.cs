namespace Broker.Grains.Cluster;

/// <summary>
/// The Topic Filters that sessions of this silo subscribe to, and who is told of them: every other silo, when the first
/// subscriber of a filter comes and when the last one goes. In a broker of one silo nobody listens and nothing is counted.
/// </summary>
public sealed class LocalInterest
{
    private readonly Dictionary<string, int> _subscribers = new(StringComparer.Ordinal);
    private readonly List<InterestSender> _senders = [];
    private readonly Lock _gate = new();
    private bool _isReady;

    /// <summary>Whether there is a cluster; set before the first session.</summary>
    public bool IsEnabled { get; set; }

    /// <summary>Filters with a subscriber here.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _subscribers.Count;
            }
        }
    }

    /// <summary>A subscription has been added to the silo's index.</summary>
    public void Added(string filter)
    {
        if (!IsEnabled)
        {
            return;
        }

        lock (_gate)
        {
            var count = _subscribers.GetValueOrDefault(filter) + 1;
            _subscribers[filter] = count;
            if (count == 1)
            {
                _senders.ForEach(sender => sender.Change(filter, exists: true));
            }
        }
    }

    /// <summary>A subscription has been removed from the silo's index.</summary>
    public void Removed(string filter)
    {
        if (!IsEnabled)
        {
            return;
        }

        lock (_gate)
        {
            var count = _subscribers[filter] - 1;
            if (count > 0)
            {
                _subscribers[filter] = count;
                return;
            }

            _subscribers.Remove(filter);
            _senders.ForEach(sender => sender.Change(filter, exists: false));
        }
    }

    /// <summary>Completes when every living silo has what was added so far: a SUBACK that waits for it is true everywhere.</summary>
    public Task AnnouncedAsync()
    {
        if (!IsEnabled)
        {
            return Task.CompletedTask;
        }

        lock (_gate)
        {
            return _senders.Count == 0 ? Task.CompletedTask : Task.WhenAll(_senders.Select(static sender => sender.SentAsync()));
        }
    }

    /// <summary>The silo has its sessions: whoever has been told everything so far knows all of it.</summary>
    public void Ready()
    {
        lock (_gate)
        {
            _isReady = true;
            _senders.ForEach(static sender => sender.Complete());
        }
    }

    /// <summary>Another silo is told everything from here on.</summary>
    internal void Add(InterestSender sender)
    {
        lock (_gate)
        {
            foreach (var filter in _subscribers.Keys)
            {
                sender.Change(filter, exists: true);
            }

            _senders.Add(sender);
            if (_isReady)
            {
                sender.Complete();
            }
        }
    }

    /// <summary>A silo is gone; whoever waits for it waits no more.</summary>
    internal void Remove(InterestSender sender)
    {
        lock (_gate)
        {
            _senders.Remove(sender);
        }

        sender.Close();
    }
}
