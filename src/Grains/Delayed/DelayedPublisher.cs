using Broker.Grains.Cluster;
using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Protocol;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Delayed;

/// <summary>
/// Publishes delayed messages that are due. Like a Will, each is a row with one owner, is published by that, and is taken over with
/// the sessions of a silo that dies. Its row takes the place of the packet id of a client's QoS 2 publish:
/// <list type="bullet">
/// <item>No other silo takes part: the row goes in the transaction that stores the deliveries.</item>
/// <item>Others do: that transaction marks the row with the message's id, then they get the message, and when all have answered the
/// row goes. Whoever finds a marked row, after a death or a refusal, publishes a repetition, which passes over the sessions that
/// have the message (decision 0008).</item>
/// <item>QoS 0: the row goes first, because the message must not come twice.</item>
/// </list>
/// Messages of one publisher go in the order in which they are due.
/// </summary>
public sealed partial class DelayedPublisher(
    MessageRouter router,
    BrokerPublisher broker,
    IMessageStore store,
    MessageIdSource ids,
    DelayedMessages messages,
    DropLedger drops,
    TimeProvider time,
    ILogger<DelayedPublisher> logger,
    RoutingGate? gate = null,
    RemoteRouting? remote = null,
    RepeatedPublishes? repeats = null) : IAsyncDisposable
{
    // What is published and not yet committed everywhere, and what is read at a time.
    private const int MaxUnderWay = 1_000;
    private const int MaxBytesAtOnce = 8 << 20;

    // After a silo has refused a message, or the store an answer.
    private const long RetryPause = 1_000;

    private readonly ILogger _logger = logger;
    private readonly CancellationTokenSource _closing = new();
    private readonly HashSet<MessageId> _underWay = [];
    private Task _pass = Task.CompletedTask;
    private bool _hasFailed;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Begins to publish what has become due, unless that is being done; several times a second.</summary>
    public void Tick()
    {
        if (_pass.IsCompleted && messages.IsAnythingDue(Now))
        {
            _pass = Task.Run(PassAsync);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _pass.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private async Task PassAsync()
    {
        messages.BeginLook();
        try
        {
            while (await PublishDueAsync())
            {
            }

            _hasFailed = false;
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // The broker stops; the rows stay.
        }
        catch (Exception error)
        {
            // The store cannot be read. Nothing was taken, and all of it is looked for again.
            if (!_hasFailed)
            {
                NotPublished(error.Message);
                _hasFailed = true;
            }

            messages.LookAt(Now + RetryPause);
        }
    }

    /// <summary>True when there was more than could be taken at a time.</summary>
    private async Task<bool> PublishDueAsync()
    {
        await store.WaitUntilDrainedAsync(_closing.Token);
        if (!store.IsAvailable)
        {
            // What is published now would wait with its body for the store, which nobody slows down meanwhile.
            messages.LookAt(Now + RetryPause);
            return false;
        }

        var now = Now;
        var known = await store.FindDelayedAsync(long.MinValue, now, MaxUnderWay * 2, _closing.Token);
        var chosen = Choose(known);
        var rows = await store.LoadDelayedAsync([.. chosen.Select(static k => k.Id)], _closing.Token);
        var turn = new DelayedTurn(rows, chosen, repeats is not null);
        foreach (var row in turn.Fresh)
        {
            Take(row, now, turn);
        }

        await PublishAtMostOnceAsync(turn.AtMostOnce);
        foreach (var row in turn.Repeated)
        {
            await RepeatAsync(row, now);
        }

        if (chosen.Count > 0 && known.Count > chosen.Count && !turn.HasHeld)
        {
            return true;
        }

        await LookNextAsync(now, hasMore: turn.HasHeld || known.Count > chosen.Count);
        return false;
    }

    /// <summary>What is not under way already, as far as there is room.</summary>
    private List<DelayedKey> Choose(List<DelayedKey> known)
    {
        lock (_underWay)
        {
            var room = MaxUnderWay - _underWay.Count;
            var bytes = 0L;
            return [.. known.Where(k => !_underWay.Contains(k.Id)).TakeWhile(k => room-- > 0 && (bytes += k.Size) - k.Size < MaxBytesAtOnce)];
        }
    }

    private void Take(DelayedRow row, long now, DelayedTurn turn)
    {
        if (row.Message.IsExpired(now))
        {
            drops.Add(row.Message.Publisher, row.Message.Topic, DropReason.Expired, 1, row.Message.Id);
            Begin(row);
            Remove(row, isPublished: false);
        }
        else if (row.Message.Qos == QualityOfService.AtMostOnce)
        {
            turn.AtMostOnce.Add(row);
        }
        else if (!turn.IsHeld(row) && !TryPublish(row))
        {
            turn.Hold(row);
        }
    }

    /// <summary>False when another silo has no room, or is dead and its sessions are nowhere yet: the message waits, and what its publisher sent after it.</summary>
    private bool TryPublish(DelayedRow row)
    {
        var phase = gate?.Enter();
        try
        {
            if (remote is not null && remote.MustWait(row.Message.Topic, row.Message.Qos, out _))
            {
                return false;
            }

            Begin(row);
            var source = new PublishSource(Due(row.Message));
            PublishRecord? record = router.NewRecord(ref source, isKept: true);
            record.RememberDelayed(row.Message.Id);
            router.Route(ref source, null, ref record);
            Send(row, record!);
            return true;
        }
        finally
        {
            if (phase is { } entered)
            {
                gate!.Exit(entered);
            }
        }
    }

    private async Task RepeatAsync(DelayedRow row, long now)
    {
        Begin(row);
        if (row.Message.IsExpired(now))
        {
            // Those that have it have it.
            Remove(row, isPublished: true);
            return;
        }

        var message = row.Message.As(row.PublishedAs);
        var record = new PublishRecord(message, store.NextMessageNumber(), store) { IsKept = true };
        try
        {
            // It looks up who has the message until the database answers; a stop does not wait for that.
            await repeats!.RouteAsync(message, record, _closing.Token).WaitAsync(_closing.Token);
            Send(row, record);
        }
        catch
        {
            // It stays marked, for the next attempt.
            End(row);
            throw;
        }
    }

    /// <summary>
    /// The id is kept, but for a retained message: of two retained messages the one with the higher id is the newer one, and
    /// this one is published now.
    /// </summary>
    private ApplicationMessage Due(ApplicationMessage message)
    {
        if (!message.Retain)
        {
            return message;
        }

        var renamed = message.Under(ids.Next(0));
        Renamed(message.Id, renamed.Id);
        return renamed;
    }

    private void Send(DelayedRow row, PublishRecord record)
    {
        record.Wait(new Publication(this, row, record));
        record.Seal();
        record.Post();
    }

    private async Task PublishAtMostOnceAsync(List<DelayedRow> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        rows.ForEach(Begin);
        var removal = new Removal(rows);
        store.Post(removal);
        try
        {
            await removal.Committed.WaitAsync(_closing.Token);
        }
        catch (StoreException)
        {
            // Whether they are gone is not known, so they are not published: those that are not are found again.
            rows.ForEach(Retry);
            return;
        }

        foreach (var row in rows)
        {
            broker.Publish(Due(row.Message));
            messages.Gone(row.Message.Size, isPublished: true);
            End(row);
        }
    }

    private async Task LookNextAsync(long now, bool hasMore)
    {
        if (hasMore)
        {
            // With the next tick.
            messages.LookAt(now);
        }

        if (await store.FindDelayedAsync(now, long.MaxValue, 1, _closing.Token) is [var next])
        {
            messages.LookAt(next.Due);
        }
    }

    private void Begin(DelayedRow row)
    {
        lock (_underWay)
        {
            _underWay.Add(row.Message.Id);
        }
    }

    private void End(DelayedRow row)
    {
        lock (_underWay)
        {
            _underWay.Remove(row.Message.Id);
        }
    }
}
