using System.Diagnostics;
using System.Runtime.CompilerServices;
using Broker.Grains.Messages;
using Broker.Grains.Recovery;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Topics;

namespace Broker.Grains.Cluster;

/// <summary>
/// Takes sessions over from living silos, in the steps that <see cref="SessionMoves"/> lists: those that clients ask for while
/// others are under way from the same silo make the next batch, which costs about what one session costs.
/// </summary>
public sealed class SessionTransfer(
    ClusterStore store,
    Peers peers,
    LocalInterest local,
    SessionTable sessions,
    StateRecovery recovery,
    Adoptions adoptions,
    RecentMessages recent,
    InFlightDrain drain)
{
    // A silo that does not answer may be dying; then the session is taken another way.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(3);

    // What is under way waits for sessions that arrive elsewhere, and those for what is under way to here: whoever gives up first
    // lets the others go on. So it is given up early, by chance, and later when it only takes long.
    private static readonly TimeSpan ShortestDrain = TimeSpan.FromMilliseconds(250);

    // One attempt of the database; beyond it the connection counts as lost. The next one is given more: there may be much to read.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan MostPatience = TimeSpan.FromMinutes(4);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // Beside the arguments of Detach, which a silo of an earlier version knows as they are.
    private const string CleanStartKey = "broker.clean-start";

    // Of one batch: its rows are read at once, and its clients wait for all of it.
    private const int Most = 256;

    private readonly ConditionalWeakTable<Peer, Source> _from = [];

    /// <summary>Of the call to <c>ISiloInbox.Detach</c> that is being handled: whether the client's CONNECT will end the session.</summary>
    internal static bool IsCleanStart => RequestContext.Get(CleanStartKey) is true;

    /// <summary>Brings a session here. It is not stopped halfway when its client does not wait any longer.</summary>
    /// <param name="place">Where it is: at <paramref name="from"/>.</param>
    /// <param name="cleanStart">Whether the client's CONNECT will end it.</param>
    /// <returns>False when it has to be looked for again: another attempt for the same client is under way.</returns>
    /// <exception cref="Exception">It stays where it was, or has another owner.</exception>
    internal async Task<bool> BringAsync(
        string clientId, SessionPlace place, Peer from, bool cleanStart, CancellationToken cancellationToken) => await _from
        .GetValue(from, peer => new Source(this, peer)).Transfers
        .AskAsync(new Transfer(clientId, place, cleanStart, cancellationToken))
        .WaitAsync(cancellationToken);

    private async Task BringAsync(IReadOnlyList<Gathering<Transfer, bool>.Asked> batch, Source source)
    {
        var wanted = batch.Where(a => !a.Item.Client.IsCancellationRequested && sessions.Find(a.Item.ClientId) is null).ToList();
        await Task.WhenAll(wanted.Select(asked => DetachAsync(asked, source.Peer)));
        wanted.RemoveAll(static asked => asked.Answer.IsCompleted);
        if (wanted.Count > 0)
        {
            await MoveAsync(wanted, source);
        }

        foreach (var asked in batch)
        {
            asked.Set(false);
        }
    }

    private static async Task DetachAsync(Gathering<Transfer, bool>.Asked asked, Peer peer)
    {
        try
        {
            if (asked.Item.CleanStart)
            {
                RequestContext.Set(CleanStartKey, true);
            }

            asked.Item.Former = await peer.Inbox.Detach(asked.Item.ClientId).WaitAsync(AnswerTime);
            if (asked.Item.Place.Number == 0)
            {
                // A Will without a session: it was that silo's to publish or to withdraw.
                asked.Set(true);
            }
        }
        catch (Exception error)
        {
            asked.Fail(error);
        }
    }

    private async Task MoveAsync(List<Gathering<Transfer, bool>.Asked> wanted, Source source)
    {
        var peer = source.Peer;
        using var patience = new CancellationTokenSource(Patience);
        var before = await LoadAsync(wanted.Select(static a => a.Item.Place.Number), patience.Token);
        foreach (var asked in wanted.Where(a => !before.ContainsKey(a.Item.Place.Number)))
        {
            // It has ended meanwhile.
            asked.Set(true);
        }

        // Else a message that the former silo had stored by now, and that comes here late for another subscriber, would be taken
        // for a new one. It also brings what the client has published over there to the others before it repeats any of it here.
        await source.Everything.WaitAsync(peers.Living.Select(static p => p.Inbox.Drain()).Append(drain.DrainAsync()));
        var arriving = new List<Gathering<Transfer, bool>.Asked>();
        try
        {
            foreach (var asked in wanted)
            {
                if (before.TryGetValue(asked.Item.Place.Number, out var state) && sessions.Find(asked.Item.ClientId) is null)
                {
                    asked.Item.Stored = state.Queues.GetValueOrDefault(asked.Item.Place.Number).LastSequence;
                    asked.Item.Epoch = state.Sessions[0].Epoch;
                    asked.Item.Session = recovery.AddArriving(state, asked.Item.Former is { } former ? adoptions.Of(former) : null);
                    arriving.Add(asked);
                }
            }

            await local.AnnouncedAsync().WaitAsync(AnswerTime);
            await source.Towards.WaitAsync(peers.Living.Select(p => p.Inbox.DrainTowards(peer.Address)).Append(drain.DrainAsync(peer.Address)));
            await Task.WhenAll(arriving.Select(asked => FlushAsync(asked, peer)));
        }
        catch
        {
            arriving.ForEach(a => sessions.Discard(a.Item.Session!));
            throw;
        }

        // Who is back where the session is keeps it there.
        foreach (var asked in arriving.Where(static a => a.Answer.IsCompleted))
        {
            sessions.Discard(asked.Item.Session!);
        }

        arriving.RemoveAll(static asked => asked.Answer.IsCompleted);
        await FinishAsync(arriving, peer);
    }

    private static async Task FlushAsync(Gathering<Transfer, bool>.Asked asked, Peer former)
    {
        try
        {
            await former.Inbox.Flush(asked.Item.ClientId).WaitAsync(AnswerTime);

            // Who has given up may go back at any moment.
            asked.Item.Client.ThrowIfCancellationRequested();
        }
        catch (Exception error)
        {
            asked.Fail(error);
        }
    }

    /// <summary>From here on there is no way back: what comes for the sessions waits in them.</summary>
    private async Task FinishAsync(List<Gathering<Transfer, bool>.Asked> arriving, Peer former)
    {
        if (arriving.Count == 0)
        {
            return;
        }

        arriving.ForEach(static a => a.Item.Session!.NoteClaimed());
        var claimed = await UntilAnsweredAsync(token => ClaimAsync(arriving.ConvertAll(static a => a.Item), token));
        foreach (var asked in arriving.Where(a => !claimed.Contains(a.Item.Place.Number)))
        {
            sessions.Discard(asked.Item.Session!);
            asked.Fail(new StoreException($"The session of '{asked.Item.ClientId}' has another owner, or its client is back there."));
        }

        arriving.RemoveAll(a => !claimed.Contains(a.Item.Place.Number));
        var (states, stored) = await UntilAnsweredAsync(async token => (
            await LoadAsync(arriving.Select(static a => a.Item.Place.Number), token),
            (await store.StoredIdsAsync(arriving.ConvertAll(static a => (a.Item.Place.Number, a.Item.Stored)), token))
                .ToLookup(static s => s.Session, static s => s.Id)));
        foreach (var asked in arriving)
        {
            Arrive(asked, states, stored[asked.Item.Place.Number]);
            former.Inbox.Forget(asked.Item.ClientId).Ignore();
        }
    }

    /// <summary>One that fails does not keep the others waiting.</summary>
    private void Arrive(Gathering<Transfer, bool>.Asked asked, Dictionary<long, RecoveredState> states, IEnumerable<MessageId> stored)
    {
        var (clientId, session) = (asked.Item.ClientId, asked.Item.Session!);
        if (!states.TryGetValue(asked.Item.Place.Number, out var state))
        {
            // Taken from here and ended since.
            sessions.Discard(session);
            asked.Set(false);
            return;
        }

        try
        {
            recent.Moved(clientId, [.. stored]);
            recovery.Arrive(session, state, recent);
            asked.Set(true);
        }
        catch (Exception error)
        {
            asked.Fail(error);
        }
    }

    private async Task<Dictionary<long, RecoveredState>> LoadAsync(IEnumerable<long> numbers, CancellationToken cancellationToken) =>
        (await store.LoadAsync([.. numbers], cancellationToken)).BySession();

    /// <summary>Also those that an earlier attempt had claimed, whose answer was lost.</summary>
    private async Task<HashSet<long>> ClaimAsync(List<Transfer> transfers, CancellationToken cancellationToken)
    {
        var claimed = (await store.ClaimAsync(transfers.ConvertAll(static t => (t.Place.Number, t.Place.Owner, t.Epoch)), cancellationToken)).ToHashSet();
        var missing = transfers.Where(t => !claimed.Contains(t.Place.Number)).ToList();
        var places = await Task.WhenAll(missing.Select(t => store.FindAsync(t.ClientId, cancellationToken)));
        claimed.UnionWith(missing.Zip(places).Where(m => m.Second is { } now && now.Number == m.First.Place.Number && store.IsOwn(now))
            .Select(static m => m.First.Place.Number));
        return claimed;
    }

    /// <summary>Tries again as long as the database does not answer: nobody else can know what it has done.</summary>
    private static async Task<T> UntilAnsweredAsync<T>(Func<CancellationToken, Task<T>> attempt)
    {
        for (var time = Patience; ; time = time < MostPatience ? time * 2 : time)
        {
            using var patience = new CancellationTokenSource(time);
            try
            {
                return await attempt(patience.Token);
            }
            catch (Exception error) when (error is StoreException or OperationCanceledException)
            {
                await Task.Delay(Pause);
            }
        }
    }

    /// <summary>A silo that sessions come from. One batch uses it at a time.</summary>
    private sealed class Source
    {
        public Source(SessionTransfer transfer, Peer peer)
        {
            Peer = peer;
            Transfers = new Gathering<Transfer, bool>(Most, batch => transfer.BringAsync(batch, this));
        }

        public Peer Peer { get; }

        public Gathering<Transfer, bool> Transfers { get; }

        /// <summary>What all silos have under way to wherever.</summary>
        public DrainPatience Everything { get; } = new();

        /// <summary>What they have under way to this one.</summary>
        public DrainPatience Towards { get; } = new();
    }

    /// <summary>Waits for what is under way, not much longer than it took lately.</summary>
    private sealed class DrainPatience
    {
        private TimeSpan _time = ShortestDrain;

        public async Task WaitAsync(IEnumerable<Task> drains)
        {
            var clock = Stopwatch.StartNew();
            try
            {
                await Task.WhenAll(drains).WaitAsync(_time * (0.5 + Random.Shared.NextDouble()));
                _time = Between(clock.Elapsed * 4);
            }
            catch (TimeoutException)
            {
                _time = Between(_time * 2);
                throw;
            }
        }

        private static TimeSpan Between(TimeSpan time) => time < ShortestDrain ? ShortestDrain : time > AnswerTime ? AnswerTime : time;
    }

    /// <param name="Client">Cancelled when the client waits no more.</param>
    private sealed record Transfer(string ClientId, SessionPlace Place, bool CleanStart, CancellationToken Client)
    {
        /// <summary>Dead silo that the session came from before, if messages may still be under way to there.</summary>
        public SiloAddress? Former { get; set; }

        /// <summary>Its last delivery that was in the store before it began to arrive.</summary>
        public long Stored { get; set; }

        /// <summary>Its epoch since it departs.</summary>
        public long Epoch { get; set; }

        public Session? Session { get; set; }
    }
}
