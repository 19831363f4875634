using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Messages;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Topics;

/// <summary>
/// Takes the messages of other silos to the sessions of this one whose filters match: one copy for each session at the
/// highest QoS with all identifiers.
/// </summary>
/// <param name="store">Null in a broker of one silo, which nobody sends anything.</param>
public sealed class InboxDelivery(
    MessageRouter router,
    SessionTable sessions,
    RecentMessages recent,
    Adoptions adoptions,
    RepeatableMessages repeatable,
    IMessageStore messages,
    LiveSilos silos,
    TopicLog log,
    ClusterStore? store = null,
    SiloTime? time = null) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // One at a time looks up who has a message and then delivers it to the others.
    private readonly SemaphoreSlim _lookup = new(1);

    // Held while a message that may be repeated is routed for the first time: it is in the store's queue when it is released.
    private readonly Lock _firsts = new();
    private readonly CancellationTokenSource _closing = new();

    /// <summary>
    /// Routes in order, before it returns; its task completes when every durable delivery is committed or acknowledged.
    /// </summary>
    public async Task<DeliveryOutcome> DeliverAsync(EdgeBatch batch)
    {
        var waiter = new BatchWaiter(batch.Batches.Sum(static b => b.Count));
        var first = 0;
        foreach (var part in batch.Batches)
        {
            if (part.RecoveredFrom is not null)
            {
                await DeliverRecoveredAsync(Decode(part), waiter, first);
            }
            else if (part.IsRepeat)
            {
                await DeliverRepeatedAsync(Decode(part), part.Origin!, waiter, first);
            }
            else
            {
                Route(part, waiter, first);
            }

            first += part.Count;
            if (part.Settled.Length > 0)
            {
                adoptions.Settled(part.Origin!, part.Settled);
            }
        }

        var outcome = await waiter.SealAsync();
        if (waiter.HasLostSessions && time is not null)
        {
            // See InternalOutcome.Elsewhere. A silo that was declared dead is never in its time again, and never answers.
            await time.ValidAsync();
        }

        return outcome;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _closing.Cancel();
        _closing.Dispose();
        _lookup.Dispose();
    }

    private static List<ApplicationMessage> Decode(MessageBatch batch) =>
        MessageBatchCodec.Decode(batch).ConvertAll(static m => m.Message);

    /// <summary>Messages of this silo's own publishers that were under way to a dead silo.</summary>
    internal async Task DeliverRecoveredAsync(IReadOnlyList<(ApplicationMessage Message, PublishRecord Record)> messages)
    {
        var waiter = new BatchWaiter(messages.Count);
        await DeliverRecoveredAsync([.. messages.Select(static m => m.Message)], waiter, 0);
        Tell([.. messages.Select(static m => m.Record)], waiter);
    }

    /// <summary>A message of one of this silo's own publishers that was published before.</summary>
    internal async Task DeliverRepeatedAsync(ApplicationMessage message, PublishRecord record)
    {
        var waiter = new BatchWaiter(1);
        await DeliverRepeatedAsync([message], silos.Local, waiter, 0);
        Tell([record], waiter);
    }

    private static void Tell(List<PublishRecord> records, BatchWaiter waiter) => _ = waiter.SealAsync().ContinueWith(
        done =>
        {
            for (var i = 0; i < records.Count; i++)
            {
                records[i].Answered(waiter.HasLostSessions ? InternalOutcome.Elsewhere : done.Result.ReasonOf(i));
            }
        },
        CancellationToken.None,
        TaskContinuationOptions.None,
        TaskScheduler.Default);

    /// <summary>
    /// To sessions that do not have them: durable ones by their rows, of which none has gone that matters
    /// (<see cref="InDoubtDeliveries"/>), others by whether the message was here before.
    /// </summary>
    private async Task DeliverRepeatedAsync(List<ApplicationMessage> repeated, SiloAddress origin, BatchWaiter waiter, int first)
    {
        // First of all: a first publish that comes from here on is let be.
        HashSet<MessageId> fresh;
        lock (_firsts)
        {
            fresh = [.. repeated.Select(static m => m.Id).Where(repeatable.TryAdd)];
        }

        await _lookup.WaitAsync(_closing.Token);
        try
        {
            var ids = repeated.ConvertAll(static m => m.Id);
            var holders = await LookUpAsync(() => store!.HoldersAsync(ids, _closing.Token));
            var passOver = adoptions.PassOver(origin);
            for (var i = 0; i < repeated.Count; i++)
            {
                var id = ids[i];
                Route(
                    repeated[i],
                    session => passOver?.Invoke(session) == true
                        || (session.IsDurable ? holders.Contains((session.Number, id)) : !fresh.Contains(id)),
                    waiter,
                    first + i);
            }
        }
        finally
        {
            _lookup.Release();
        }
    }

    /// <summary>
    /// Asks who has which messages, when everything routed so far is in the store. Tries again until the database answers: what
    /// was routed before must not be routed again, and what was taken from an edge has to be delivered.
    /// </summary>
    private async Task<HashSet<(long Session, MessageId Id)>> LookUpAsync(Func<Task<List<(long Session, MessageId Id)>>> query)
    {
        while (true)
        {
            try
            {
                await messages.FlushAsync();
                return [.. await query()];
            }
            catch (StoreException)
            {
                await Task.Delay(Pause, _closing.Token);
            }
        }
    }

    /// <summary>
    /// To sessions that were a dead silo's, and to those of them that did not have the message there. Not only to those that
    /// came from the silo that it was meant for: that one's sessions may have been with another since, which died as well.
    /// </summary>
    private async Task DeliverRecoveredAsync(List<ApplicationMessage> recovered, BatchWaiter waiter, int first)
    {
        var adopted = sessions.All.Where(static s => s.Adoption is not null).Select(static s => s.Number).ToList();
        if (adopted.Count == 0 || recovered.Count == 0)
        {
            return;
        }

        await _lookup.WaitAsync(_closing.Token);
        try
        {
            var ids = recovered.ConvertAll(static m => m.Id);
            var held = await LookUpAsync(() => store!.HeldAsync(adopted, ids, _closing.Token));
            for (var i = 0; i < recovered.Count; i++)
            {
                var id = recovered[i].Id;
                Route(
                    recovered[i],
                    session => session.Adoption is null || held.Contains((session.Number, id)),
                    waiter,
                    first + i);
            }
        }
        finally
        {
            _lookup.Release();
        }
    }

    private void Route(MessageBatch batch, BatchWaiter waiter, int first)
    {
        var index = first;
        try
        {
            var passOver = adoptions.PassOver(batch.Origin!);
            foreach (var routed in MessageBatchCodec.Decode(batch))
            {
                var id = routed.Message.Id;
                Predicate<Session>? hadBefore = !recent.HasMoved ? passOver
                    : session => passOver?.Invoke(session) == true || recent.HadBefore(session.ClientId, id);
                if (routed.Message.MayRepeat)
                {
                    RouteFirst(routed.Message, hadBefore, waiter, index);
                }
                else
                {
                    Route(routed.Message, hadBefore, waiter, index);
                }

                index++;
            }
        }
        catch (Exception e)
        {
            // An answer all the same: without one the edge would bring the batch again and again, and nothing after it.
            // What was not routed is refused to its publisher, who may publish it again.
            log.NotRouted(e, first + batch.Count - index);
            for (; index < first + batch.Count; index++)
            {
                waiter.ForMessage(index).Published(ReasonCode.UnspecifiedError);
            }
        }
    }

    private void RouteFirst(ApplicationMessage message, Predicate<Session>? passOver, BatchWaiter waiter, int index)
    {
        lock (_firsts)
        {
            if (repeatable.TryAdd(message.Id))
            {
                Route(message, passOver, waiter, index);
            }
        }
    }

    private void Route(ApplicationMessage message, Predicate<Session>? passOver, BatchWaiter waiter, int index)
    {
        var source = new PublishSource(message);
        PublishRecord? record = null;
        var publisher = message.Publisher.Length == 0 ? null : sessions.Find(message.Publisher);
        router.RouteArrived(ref source, publisher, passOver, ref record);
        if (record is null)
        {
            return;
        }

        // Written at once instead of held back for fast acknowledgements: the next batch of the edge waits for this one,
        // and a subscriber that lets its grace pass would stop the messages of all others.
        record.Wait(waiter.ForMessage(index));
        record.Seal();
        record.Post();
    }

    /// <summary>Collects the outcomes of a batch.</summary>
    private sealed class BatchWaiter(int count)
    {
        private readonly TaskCompletionSource<DeliveryOutcome> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Lock _gate = new();
        private byte[]? _reasons;
        private volatile bool _hasLostSessions;
        private int _open = 1;

        /// <summary>Whether a session turned out to have another owner; known when it is done.</summary>
        public bool HasLostSessions => _hasLostSessions;

        public IPublishWaiter ForMessage(int index)
        {
            Interlocked.Increment(ref _open);
            return new MessageWaiter(this, index);
        }

        public Task<DeliveryOutcome> SealAsync()
        {
            Resolve();
            return _done.Task;
        }

        private void Published(int index, ReasonCode reason)
        {
            if (reason == InternalOutcome.Elsewhere)
            {
                _hasLostSessions = true;
            }
            else if (reason != ReasonCode.Success)
            {
                lock (_gate)
                {
                    _reasons ??= new byte[count];
                    _reasons[index] = (byte)reason;
                }
            }

            Resolve();
        }

        private void Resolve()
        {
            if (Interlocked.Decrement(ref _open) == 0)
            {
                _done.SetResult(_reasons is null ? DeliveryOutcome.Success : new DeliveryOutcome { Reasons = _reasons });
            }
        }

        private sealed class MessageWaiter(BatchWaiter batch, int index) : IPublishWaiter
        {
            public void Published(ReasonCode reason) => batch.Published(index, reason);
        }
    }
}
