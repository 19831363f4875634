using System.Diagnostics.Metrics;
using System.Text;
using Broker.Grains.Hooks;
using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Routing;

namespace Broker.Grains.Diagnostics;

/// <summary>One message that was dropped for good.</summary>
/// <param name="Time">Milliseconds since 1970.</param>
/// <param name="ClientId">Whose delivery it was; the publisher's for a refused publish.</param>
public readonly record struct Drop(long Time, string ClientId, string Topic, DropReason Reason)
{
    /// <summary>Its message id; <see cref="MessageId.None"/> for QoS 0.</summary>
    public MessageId Message { get; init; }
}

/// <summary>
/// Counts every permanent drop by reason, and by client, topic and reason (promise 5). What it remembers is bounded by
/// <see cref="LedgerOptions"/>; the counts by reason are complete, whatever it has forgotten.
/// </summary>
public sealed class DropLedger : IDisposable
{
    /// <summary>
    /// How many of the latest drops are remembered one by one, at most: those whose client, topic and reason are forgotten go as well, so that
    /// <see cref="LedgerOptions.MaxBytes"/> bounds all of it.
    /// </summary>
    public const int Capacity = 1024;

    private static readonly DropReason[] Reasons = Enum.GetValues<DropReason>();

    private readonly long[] _counts = new long[Reasons.Length];
    private readonly (long Time, DropEntry? Entry, MessageId Message)[] _latest = new (long, DropEntry?, MessageId)[Capacity];
    private readonly HashSet<DropEntry> _entries = new(new DropKeys());
    private readonly HashSet<DropEntry>.AlternateLookup<DropProbe> _lookup;
    private readonly LinkedList<DropEntry> _byAge = new();
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly LedgerOptions _options;
    private readonly EventHub? _events;
    private readonly ITraces? _traces;
    private readonly Meter _meter = new("Broker.Grains");
    private long _bytes;
    private long _forgotten;
    private long _written;

    /// <param name="traces">Told of each drop; null where nobody traces.</param>
    public DropLedger(TimeProvider time, LedgerOptions options, EventHub? events = null, ITraces? traces = null)
    {
        _traces = traces;
        _events = events?.For(BrokerEventKind.MessageDropped);
        _time = time;
        _options = options;
        _lookup = _entries.GetAlternateLookup<DropProbe>();
        _meter.CreateObservableCounter(
            "broker.messages.dropped",
            () => Reasons.Select(r => new Measurement<long>(Count(r), new KeyValuePair<string, object?>("reason", r.ToString()))),
            description: "Messages dropped for good, by reason.");
        _meter.CreateObservableUpDownCounter("broker.ledger.entries", () => Entries, description: "Clients, topics and reasons in the loss ledger.");
    }

    /// <summary>Combinations of client, topic and reason that are remembered.</summary>
    public int Entries
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>All drops since the start, whatever the reason.</summary>
    public long Total
    {
        get
        {
            lock (_gate)
            {
                return _counts.Sum();
            }
        }
    }

    /// <summary>Records a drop, or several that have client, topic and reason in common.</summary>
    public void Add(string clientId, ReadOnlySpan<byte> topic, DropReason reason, int count = 1, MessageId message = default)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        lock (_gate)
        {
            _counts[(int)reason] += count;
            if (!_lookup.TryGetValue(new DropProbe(clientId, topic, reason), out var entry))
            {
                entry = new DropEntry(clientId, topic, reason, now);
                _entries.Add(entry);
                _bytes += entry.Size;
            }
            else
            {
                _byAge.Remove(entry.Node);
            }

            _byAge.AddLast(entry.Node);
            entry.Count += count;
            entry.Last = now;
            entry.LastMessage = message;
            entry.LastNumber = _written;
            _latest[_written++ % Capacity] = (now, entry, message);
            Shrink();
        }

        _traces?.Dropped(clientId, topic, reason, count, message);
        _events?.Tell(new MessageDropped
        {
            Time = DateTimeOffset.FromUnixTimeMilliseconds(now),
            ClientId = clientId,
            Topic = Encoding.UTF8.GetString(topic),
            Reason = reason,
            Count = count,
            MessageId = message == MessageId.None ? null : message.ToString(),
        });
    }

    /// <summary>How many were dropped for a reason since the start.</summary>
    public long Count(DropReason reason)
    {
        lock (_gate)
        {
            return _counts[(int)reason];
        }
    }

    /// <summary>The latest drops, oldest first.</summary>
    public IReadOnlyList<Drop> Latest()
    {
        lock (_gate)
        {
            var latest = new List<Drop>();
            for (var i = Math.Max(0, _written - Capacity); i < _written; i++)
            {
                if (_latest[i % Capacity] is (var time, { } entry, var message))
                {
                    latest.Add(new Drop(time, entry.ClientId, Encoding.UTF8.GetString(entry.Topic), entry.Reason) { Message = message });
                }
            }

            return latest;
        }
    }

    /// <summary>What was dropped on this silo, the latest first.</summary>
    public DropReport Find(DropQuery query)
    {
        var found = new List<DropTotal>();
        lock (_gate)
        {
            var node = _byAge.Last;
            for (; node is not null && found.Count < query.Limit; node = node.Previous)
            {
                if (Matches(node.Value, query))
                {
                    found.Add(ToTotal(node.Value));
                }
            }

            return new DropReport
            {
                Counts = Reasons.ToDictionary(static r => r.ToString(), r => _counts[(int)r]),
                Totals = [.. found],
                Forgotten = _forgotten,
                HasMore = node is not null,
            };
        }
    }

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    private static bool Matches(DropEntry entry, DropQuery query) =>
        (query.ClientId is null || string.Equals(entry.ClientId, query.ClientId, StringComparison.Ordinal))
        && (query.Reason is null || string.Equals(entry.Reason.ToString(), query.Reason, StringComparison.OrdinalIgnoreCase))
        && (query.Filter is null || FilterText.Matches(Encoding.UTF8.GetBytes(query.Filter), entry.Topic));

    private static DropTotal ToTotal(DropEntry entry) => new()
    {
        ClientId = entry.ClientId,
        Topic = Encoding.UTF8.GetString(entry.Topic),
        Reason = entry.Reason.ToString(),
        Count = entry.Count,
        First = entry.First,
        Last = entry.Last,
        LastMessage = entry.LastMessage == MessageId.None ? null : entry.LastMessage.ToString(),
    };

    private void Shrink()
    {
        while (_entries.Count > 1 && (_entries.Count > _options.MaxEntries || _bytes > _options.MaxBytes))
        {
            var oldest = _byAge.First!.Value;
            _byAge.RemoveFirst();
            _entries.Remove(oldest);
            _bytes -= oldest.Size;
            _forgotten += oldest.Count;
            if (oldest.LastNumber >= _written - Capacity)
            {
                ForgetLatest(oldest);
            }
        }
    }

    /// <summary>Rare: only a ledger of few entries forgets one that was dropped lately.</summary>
    private void ForgetLatest(DropEntry forgotten)
    {
        for (var i = 0; i < _latest.Length; i++)
        {
            if (_latest[i].Entry == forgotten)
            {
                _latest[i] = default;
            }
        }
    }
}
