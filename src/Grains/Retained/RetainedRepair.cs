using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Retained;

/// <summary>
/// Retained messages whose row could not be written: this silo, and others, give them to new subscribers already, so the
/// row follows as soon as the store takes writes again. Without that they would be gone, or older, after a restart.
/// </summary>
public sealed class RetainedRepair : IDisposable
{
    // Of one write: a store that has just come back has other work as well.
    private const int TopicsPerWrite = 500;

    private readonly Dictionary<string, MessageId> _missing = new(StringComparer.Ordinal);
    private readonly RetainedMessages _retained;
    private readonly IMessageStore _store;
    private readonly RetainedMetrics _metrics;
    private readonly Lock _gate = new();
    private bool _isWriting;

    public RetainedRepair(RetainedMessages retained, IMessageStore store)
    {
        _retained = retained;
        _store = store;
        _metrics = new RetainedMetrics(retained, this);
    }

    /// <summary>Topics whose row is missing or older; one for each retained topic at most.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _missing.Count;
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => _metrics.Dispose();

    /// <summary>Told the outcome of a publish that has set or cleared a topic.</summary>
    internal IPublishWaiter Watch(string topic, MessageId version) => new Watcher(this, topic, version);

    /// <summary>Called by the silo's clock: writes some of what is missing, if the store is available.</summary>
    internal void Tick()
    {
        List<KeyValuePair<string, MessageId>> topics;
        lock (_gate)
        {
            if (_missing.Count == 0 || _isWriting || !_store.IsAvailable || _store.IsCongested)
            {
                return;
            }

            _isWriting = true;
            topics = [.. _missing.Take(TopicsPerWrite)];
        }

        _store.Post(new Write(this, topics));
    }

    private void Failed(string topic, MessageId version)
    {
        lock (_gate)
        {
            if (!_missing.TryGetValue(topic, out var known) || version > known)
            {
                _missing[topic] = version;
            }
        }
    }

    private void Written(List<KeyValuePair<string, MessageId>> topics, bool isCommitted)
    {
        lock (_gate)
        {
            _isWriting = false;
            foreach (var (topic, version) in topics)
            {
                // What failed since then failed with a higher version.
                if (isCommitted && _missing.TryGetValue(topic, out var known) && known == version)
                {
                    _missing.Remove(topic);
                }
            }
        }
    }

    private sealed class Watcher(RetainedRepair repair, string topic, MessageId version) : IPublishWaiter
    {
        public void Published(ReasonCode reason)
        {
            if (reason != ReasonCode.Success)
            {
                repair.Failed(topic, version);
            }
        }
    }

    private sealed class Write(RetainedRepair repair, List<KeyValuePair<string, MessageId>> topics) : StoreWrite
    {
        public override void AddTo(IStoreBatch batch)
        {
            foreach (var (topic, version) in topics)
            {
                repair._retained.WriteTo(batch, topic, version);
            }
        }

        public override void Complete(Exception? error) => repair.Written(topics, error is null);
    }
}
