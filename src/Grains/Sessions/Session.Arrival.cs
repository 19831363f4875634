using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>Between silos: a session that is on its way here, and one that has gone elsewhere.</summary>
public sealed partial class Session
{
    private List<Arrived>? _arrived;
    private bool _isClaimed;

    /// <summary>The dead silo that it was taken over from, as long as messages may be under way to there; else null.</summary>
    public Adoption? Adoption
    {
        get => field is { IsOver: true } ? field = null : field;
        internal set;
    }

    /// <summary>The session's client is connected elsewhere, and so will the session be: its writes may be refused.</summary>
    public bool IsDeparting { get; internal set; }

    /// <summary>It is routable and waits for its rows: deliveries wait as well.</summary>
    internal void BeginArrival()
    {
        lock (_gate)
        {
            _state = SessionState.Arriving;
            _arrived = [];
        }
    }

    /// <summary>From here on the store may say that its rows are this silo's: what waits may be nowhere else.</summary>
    internal void NoteClaimed()
    {
        lock (_gate)
        {
            _isClaimed = true;
        }
    }

    /// <summary>Its rows are this silo's: it becomes dormant, and gets what has waited, without what it had before.</summary>
    /// <exception cref="InvalidOperationException">This silo has let go of it meanwhile.</exception>
    internal void EndArrival(SessionRow row, QueueSummary queue, Predicate<MessageId> hadBefore)
    {
        var had = new List<Arrived>();
        lock (_gate)
        {
            if (_state != SessionState.Arriving)
            {
                throw new InvalidOperationException($"The session of '{ClientId}' is {_state} and does not arrive.");
            }

            var waiting = _arrived ?? [];
            _arrived = null;
            _isClaimed = false;
            Restore(row, queue);
            _state = SessionState.Dormant;

            // Inside the lock, so that nothing newer overtakes them.
            var repeatable = new HashSet<MessageId>();
            foreach (var arrived in waiting)
            {
                if (hadBefore(arrived.Message.Id) || (arrived.Message.MayRepeat && !repeatable.Add(arrived.Message.Id)))
                {
                    had.Add(arrived);
                    continue;
                }

                var source = new PublishSource(arrived.Message);
                PublishRecord? record = null;
                DeliverAcknowledged(ref source, arrived.Qos, arrived.Retain, arrived.Identifiers, ref record);
                record!.Wait(arrived);
                record.Seal();
                record.Post();
            }
        }

        had.ForEach(static arrived => arrived.Record.Answered(ReasonCode.Success));
    }

    /// <summary>
    /// Lets go of the session without ending it: its rows belong to somebody else, or will. Nothing is routed to it here
    /// any more.
    /// </summary>
    /// <returns>False when it had ended before.</returns>
    internal bool Abandon()
    {
        List<Subscription> subscriptions;
        List<Arrived> waiting;
        IClientLink? link;
        ReasonCode outcome;
        lock (_gate)
        {
            if (_state == SessionState.Ended)
            {
                return false;
            }

            link = DetachLink();
            _state = SessionState.Ended;
            subscriptions = [.. _subscriptions.Values];
            _subscriptions.Clear();
            _replays.Clear();
            waiting = _arrived ?? [];
            _arrived = null;

            // As long as it was another silo's, that one has had what waits here as well.
            outcome = _isClaimed ? InternalOutcome.Elsewhere : ReasonCode.Success;
            ForgetAll(InternalOutcome.Elsewhere);
        }

        link?.Close(ReasonCode.SessionTakenOver);
        subscriptions.ForEach(s => Unroute(s));
        if (Group is { } group)
        {
            _env.Shared.Abandoned(group);
        }

        waiting.ForEach(arrived => arrived.Record.Answered(outcome));
        return true;
    }

    /// <summary>
    /// The store has refused a write because the session has another owner. False when that is no news: it has ended, or
    /// its new owner gets the same messages.
    /// </summary>
    internal bool NoteFenced()
    {
        if (State == SessionState.Ended)
        {
            return false;
        }

        _env.Fenced(this);
        return !IsDeparting;
    }

    /// <summary>
    /// Hands what is held back for fast acknowledgements to the store's writer. What is still being routed to others is not held back
    /// when that has ended.
    /// </summary>
    internal void PostPending()
    {
        List<PublishRecord> records = [];
        lock (_gate)
        {
            records.AddRange(_queue.All().Select(static d => d.Record).OfType<PublishRecord>());
            for (var item = _inflight.First; item is not null; item = item.Next)
            {
                if (item.Record is { } record)
                {
                    records.Add(record);
                }
            }
        }

        records.ForEach(static record => record.Post());
    }

    private void Arrive(
        ref PublishSource source, QualityOfService qos, bool retain, scoped ReadOnlySpan<uint> identifiers, ref PublishRecord? record)
    {
        var message = source.Materialize();
        record ??= PublishRecord.For(ref source, _env.Store);
        record.Ask();
        _arrived!.Add(new Arrived(message, qos, retain, identifiers.ToArray(), record));
    }

    /// <summary>A delivery that waits for the session's rows.</summary>
    private sealed record Arrived(
        ApplicationMessage Message, QualityOfService Qos, bool Retain, uint[] Identifiers, PublishRecord Record) : IPublishWaiter
    {
        public void Published(ReasonCode reason) => Record.Answered(reason);
    }
}
