using System.Diagnostics.Metrics;
using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Delayed;

/// <summary>
/// Takes delayed messages: each is a row, written in the transaction that its publisher's acknowledgement waits for
/// (promise 1), and nothing in memory but their number, their size, and when the first of them is due.
/// <see cref="DelayedPublisher"/> publishes them.
/// </summary>
public sealed class DelayedMessages : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Broker.Delayed";

    private readonly IMessageStore _store;
    private readonly MessageIdSource _ids;
    private readonly DropLedger _drops;
    private readonly DelayedOptions _options;
    private readonly Meter _meter = new(MeterName);
    private long _count;
    private long _bytes;
    private long _nextDue = long.MaxValue;
    private long _published;
    private long _refused;

    public DelayedMessages(IMessageStore store, MessageIdSource ids, DropLedger drops, DelayedOptions options)
    {
        _store = store;
        _ids = ids;
        _drops = drops;
        _options = options;
        _meter.CreateObservableUpDownCounter(
            "broker.delayed.messages", () => Count, "{message}", "Delayed messages that this silo has to publish.");
        _meter.CreateObservableUpDownCounter(
            "broker.delayed.bytes", () => Interlocked.Read(ref _bytes), "By", "Their topics, properties and payloads.");
        _meter.CreateObservableCounter(
            "broker.delayed.published", () => Interlocked.Read(ref _published), "{message}", "Delayed messages that were published.");
        _meter.CreateObservableCounter(
            "broker.delayed.refused", () => Interlocked.Read(ref _refused), "{message}", "Messages that were not delayed because too many wait.");
    }

    /// <summary>Messages that wait here, those included whose row is being written or removed.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Learns what the store holds; before the first connection.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken) =>
        TakenOver(await _store.SummarizeDelayedAsync(cancellationToken));

    /// <summary>Messages that were another process's are this one's to publish.</summary>
    public void TakenOver(DelayedSummary taken)
    {
        if (taken.Count > 0)
        {
            Interlocked.Add(ref _count, taken.Count);
            Interlocked.Add(ref _bytes, taken.Bytes);
            LookAt(0);
        }
    }

    /// <summary>
    /// Messages may be this process's of which it does not know. What is being written or removed meanwhile makes the
    /// number a little wrong; nothing but the limit and the metric depends on it.
    /// </summary>
    public async Task RecountAsync(CancellationToken cancellationToken)
    {
        var stored = await _store.SummarizeDelayedAsync(cancellationToken);
        Interlocked.Exchange(ref _count, stored.Count);
        Interlocked.Exchange(ref _bytes, stored.Bytes);
        LookAt(0);
    }

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    /// <summary>Keeps a message until it is due, or refuses it to its publisher because too many wait.</summary>
    /// <param name="record">
    /// In: a record that is needed anyway, or null. Out: the record that the acknowledgement depends on, not sealed yet.
    /// </param>
    internal void Keep(ref PublishSource source, ref PublishRecord? record)
    {
        var message = record?.Message ?? source.Materialize();
        record ??= PublishRecord.For(ref source, _store);
        if (!TryReserve(message.Size))
        {
            Interlocked.Increment(ref _refused);
            _drops.Add(message.Publisher, message.Topic, DropReason.DelayRefused, 1, message.Id);
            record.Refuse(ReasonCode.QuotaExceeded);
            return;
        }

        // Its key; a message of QoS 0 has had none so far.
        var row = new DelayedRow(source.PublishAt, message.Under(message.Id == MessageId.None ? _ids.Next(0) : message.Id));
        record.AddRows(batch => batch.PutDelayed(row));
        record.Wait(new Reservation(this, row));
    }

    /// <summary>Whether there is something to look for at <paramref name="now"/> (milliseconds since 1970).</summary>
    internal bool IsAnythingDue(long now) => Interlocked.Read(ref _nextDue) <= now;

    /// <summary>Somebody looks now: what is kept from here on asks for another look.</summary>
    internal void BeginLook() => Interlocked.Exchange(ref _nextDue, long.MaxValue);

    /// <summary>There is something to look at then, at the latest.</summary>
    internal void LookAt(long time)
    {
        long known;
        do
        {
            known = Interlocked.Read(ref _nextDue);
        }
        while (time < known && Interlocked.CompareExchange(ref _nextDue, time, known) != known);
    }

    /// <summary>The row of a message has gone.</summary>
    internal void Gone(int size, bool isPublished)
    {
        Release(size);
        if (isPublished)
        {
            Interlocked.Increment(ref _published);
        }
    }

    /// <summary>Counts first and takes back, so that publishers of all connections together do not go over the limits.</summary>
    private bool TryReserve(int size)
    {
        var count = Interlocked.Increment(ref _count);
        var bytes = Interlocked.Add(ref _bytes, size);
        if (count <= _options.MaxMessages && (_options.MaxBytes == 0 || bytes <= _options.MaxBytes))
        {
            return true;
        }

        Release(size);
        return false;
    }

    private void Release(int size)
    {
        Interlocked.Decrement(ref _count);
        Interlocked.Add(ref _bytes, -size);
    }

    /// <summary>Room for a message whose row is being written.</summary>
    private sealed class Reservation(DelayedMessages owner, DelayedRow row) : IPublishWaiter
    {
        public void Published(ReasonCode reason)
        {
            if (reason == ReasonCode.Success)
            {
                owner.LookAt(row.Due);
            }
            else
            {
                owner.Release(row.Message.Size);
            }
        }
    }
}
