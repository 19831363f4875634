using Broker.Grains.Edges;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Shared.Cluster;
using Broker.Grains.Topics;
using Broker.Protocol;

namespace Broker.Grains.Cluster;

/// <summary>
/// Another silo as this one sees it:
/// <code>
/// living ──declared dead──▶ dead ──out of time──▶ gone ──sessions adopted, their interest told──▶ settled
/// </code>
/// While it is dead and not settled, its interest stays: a publish that matches it waits, because nobody can say yet where
/// the sessions are that must get it. What was under way to it is kept, and goes to the silos that adopt them.
/// </summary>
public sealed class Peer : IDisposable
{
    // A publisher is slowed above this; readers that are in the middle of a batch may go over it.
    private static readonly EdgeOptions Bounds = new() { MaxItems = 20_000, MaxBytes = 32 << 20 };

    private readonly List<Outgoing> _kept = [];
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isDead;
    private readonly CancellationTokenSource _gone = new();

    private readonly Edge<SharedItem> _shared;

    internal Peer(
        SiloAddress address, ISiloInbox inbox, SiloAddress local, EdgeMetrics metrics, EdgeMetrics sharedMetrics, TimeProvider time)
    {
        Address = address;
        Inbox = inbox;
        Edge = new Edge<Outgoing>(new Target(this, local), Bounds, metrics, time);
        _shared = new Edge<SharedItem>(new SharedTarget(this, local), Bounds, sharedMetrics, time);
        Interest = new InterestSender(local, inbox.Interest, time);
    }

    public SiloAddress Address { get; }

    /// <summary>Declared dead by the membership.</summary>
    public bool IsDead => _isDead;

    /// <summary>Its sessions are elsewhere, and its interest is forgotten.</summary>
    public bool IsSettled { get; internal set; }

    /// <summary>Completes when it has told all its interest, or is settled.</summary>
    public Task Complete => _complete.Task;

    internal ISiloInbox Inbox { get; }

    /// <summary>Whether it will never act again.</summary>
    internal bool IsGone => _gone.IsCancellationRequested;

    /// <summary>Cancelled when it will never act again: a frozen silo does not answer until the call times out.</summary>
    internal CancellationToken GoneToken => _gone.Token;

    /// <summary>Whether more wants to go to members there than its edge takes.</summary>
    internal bool IsSharedFull => _shared.IsFull;

    internal Edge<Outgoing> Edge { get; }

    internal InterestSender Interest { get; }

    /// <summary>Its interest as told so far; also the lock of that.</summary>
    internal HashSet<string> Filters { get; } = new(StringComparer.Ordinal);

    internal long LastUpdate { get; set; }

    /// <summary>Hands over a message whatever the room; the caller asks <see cref="Edge{T}.IsFull"/> before it reads on.</summary>
    /// <exception cref="InvalidOperationException">It is settled: whoever posts has not kept to the <see cref="RoutingGate"/>.</exception>
    internal void Post(in Outgoing item)
    {
        if (Edge.Post(item, mayOverfill: true) != PostResult.Gone)
        {
            return;
        }

        lock (_kept)
        {
            if (IsSettled)
            {
                throw new InvalidOperationException($"Silo {Address} is settled; a message for it has nowhere to go.");
            }

            _kept.Add(item);
        }
    }

    /// <summary>
    /// Hands over something of a group. Bounded by the windows of the members there, which is why room is not asked for.
    /// </summary>
    /// <returns>False when the silo is dead.</returns>
    internal bool PostShared(SharedItem item) => !IsDead && _shared.Post(item, mayOverfill: true) == PostResult.Taken;

    /// <inheritdoc />
    public void Dispose() => _gone.Dispose();

    internal void SetComplete() => _complete.TrySetResult();

    internal void SetDead()
    {
        _isDead = true;
    }

    /// <summary>It will never act again: nothing is sent any more, what was under way is kept.</summary>
    internal void SetGone()
    {
        Edge.Close();
        _shared.Close();
        _gone.Cancel();
    }

    /// <summary>Takes what was under way to it, in order.</summary>
    internal List<Outgoing> TakeKept()
    {
        lock (_kept)
        {
            List<Outgoing> kept = [.. _kept];
            _kept.Clear();
            return kept;
        }
    }

    /// <summary>Whether something was under way to it that has not been taken.</summary>
    internal bool HasKept
    {
        get
        {
            lock (_kept)
            {
                return _kept.Count > 0;
            }
        }
    }

    private sealed class Target(Peer peer, SiloAddress local) : IEdgeTarget<Outgoing>
    {
        private readonly Guid _id = Guid.NewGuid();
        private readonly List<RoutedMessage> _messages = [];

        // Of the batch that is under way: its number, of how many items it is, and what is sent when that is not all of it.
        private long _number;
        private int _taken;
        private List<Outgoing>? _rest;
        private MessageBatch[]? _encoded;

        public bool IsGone => peer._gone.IsCancellationRequested;

        public int BytesOf(Outgoing item) => item.Size;

        public async Task SendAsync(IReadOnlyList<Outgoing> items, long number)
        {
            if (_number != number)
            {
                _number = number;
                _taken = items.Count;
                _rest = RefuseOvertaking(items);
            }

            var sent = _rest ?? items;
            _encoded ??= Encode(sent);
            if (sent.Count > 0)
            {
                // A frozen silo does not answer until the call times out, long after it is gone.
                var outcome = await peer.Inbox.Deliver(new EdgeBatch { Edge = _id, Number = number, Batches = _encoded })
                    .WaitAsync(peer._gone.Token);
                var message = 0;
                foreach (var item in sent)
                {
                    if (item.Settled is null)
                    {
                        // A message that nobody waits for has its place among the answers, too.
                        var reason = outcome.ReasonOf(message++);
                        item.Record?.Answered(reason);
                    }
                }
            }

            _rest = null;
            _encoded = null;
            _number = 0;
        }

        public void Undeliverable(IReadOnlyList<Outgoing> items)
        {
            // Of a batch that was under way, some may have been refused.
            var waiting = _rest is null ? items : [.. _rest, .. items.Skip(_taken)];
            lock (peer._kept)
            {
                // They were posted before whatever found the edge closed.
                peer._kept.InsertRange(0, waiting);
            }
        }

        /// <summary>Refuses what would overtake what its publisher was refused before it (promise 3). Returns the rest; null when that is all.</summary>
        private static List<Outgoing>? RefuseOvertaking(IReadOnlyList<Outgoing> items)
        {
            List<Outgoing>? rest = null;
            for (var i = 0; i < items.Count; i++)
            {
                if (items[i].Record is { IsOvertaking: true } record)
                {
                    rest ??= [.. items.Take(i)];
                    record.Answered(ReasonCode.ImplementationSpecificError);
                }
                else
                {
                    rest?.Add(items[i]);
                }
            }

            return rest;
        }

        private MessageBatch[] Encode(IReadOnlyList<Outgoing> items)
        {
            var batches = new List<MessageBatch>(1);
            for (var i = 0; i < items.Count;)
            {
                var from = items[i].RecoveredFrom;
                var isRepeat = items[i].IsRepeat;
                _messages.Clear();
                for (; i < items.Count && items[i].Settled is null && items[i].IsRepeat == isRepeat
                    && Equals(items[i].RecoveredFrom, from); i++)
                {
                    _messages.Add(items[i].Message);
                }

                var settled = i < items.Count && items[i].Settled is { } note ? note : [];
                i += settled.Length > 0 ? 1 : 0;
                batches.Add(MessageBatchCodec.Encode(_messages, local) with
                {
                    RecoveredFrom = from, Settled = settled, IsRepeat = isRepeat,
                });
            }

            return [.. batches];
        }
    }
}
