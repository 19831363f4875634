using Broker.Grains.Cluster;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Retained;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Broker.Grains.Storage;
using Broker.Grains.Topics;
using Broker.Grains.Wills;

namespace Broker.Grains.Recovery;

/// <summary>
/// What a silo does with the store's content before its first connection: sessions become dormant and routable, retained
/// messages are read, and what ended while no broker ran, or with the last one, takes its course.
/// </summary>
public sealed class StateRecovery(
    SessionTable sessions,
    RetainedMessages retained,
    WillService wills,
    SessionExpiryQueue expiry,
    SessionLifecycle lifecycle,
    SessionOptions options,
    SharedGroups shared,
    TimeProvider time)
{
    private const int ExpiriesAtOnce = 256;

    /// <summary>Applies <paramref name="state"/>; the store is open.</summary>
    public async Task ApplyAsync(RecoveredState state)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();

        // Connections that were open ended, at the latest, when the broker was last alive.
        var ended = state.LastAlive ?? now;
        retained.Load(state.Retained);
        AddSessions(state, ended, static _ => { });
        foreach (var row in state.Wills)
        {
            AddWill(row, ended, now);
        }

        while (expiry.Take(now, ExpiriesAtOnce) is { Count: > 0 } expired)
        {
            await Task.WhenAll(expired.Select(session => lifecycle.ExpireAsync(session.ClientId)));
        }

        shared.EndEmpty();
    }

    /// <summary>Adds sessions that this silo has taken over.</summary>
    /// <param name="prepare">Done to each before anything is routed to it.</param>
    public void AddSessions(RecoveredState state, Action<Session> prepare) =>
        AddSessions(state, time.GetUtcNow().ToUnixTimeMilliseconds(), prepare);

    /// <summary>Adds the Wills of connections that this silo has taken over.</summary>
    public void AddWills(IEnumerable<AdoptedWill> adopted)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var will in adopted)
        {
            AddWill(will.Row, now - will.DownFor, now);
        }
    }

    /// <summary>Adds the one session of a state that another silo still has: routable here, and what comes for it waits.</summary>
    public Session AddArriving(RecoveredState state, Adoption? adoption)
    {
        var row = state.Sessions[0];
        var session = sessions.Restore(row.ClientId, row.Number, SessionState.Arriving);
        try
        {
            session.Adoption = adoption;
            session.BeginArrival();
            Subscribe(state, new Dictionary<long, Session> { [row.Number] = session });
            return session;
        }
        catch
        {
            // Left there, it would wait for ever, and its client for it.
            sessions.Discard(session);
            throw;
        }
    }

    /// <summary>The session is this silo's.</summary>
    public void Arrive(Session session, RecoveredState state, RecentMessages recent)
    {
        var row = state.Sessions[0];
        session.EndArrival(
            row, state.Queues.GetValueOrDefault(row.Number), id => recent.HadBefore(session.ClientId, id));
        session.ExpiresAt = row.ExpiresAt;
        expiry.Add(session);

        // What the former silo still had under way when they were first read may have changed its subscriptions since.
        var filters = state.Subscriptions.Select(static s => s.Filter).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in session.Subscriptions.Where(s => !filters.Contains(s.Filter)))
        {
            session.Unsubscribe(gone.Filter);
            shared.Settled(session, gone.Filter);
        }

        var byNumber = new Dictionary<long, Session> { [row.Number] = session };
        Subscribe(state, byNumber);
        AddReplays(state, byNumber);
    }

    private void AddSessions(RecoveredState state, long ended, Action<Session> prepare)
    {
        var byNumber = new Dictionary<long, Session>(state.Sessions.Count);
        foreach (var row in state.Sessions)
        {
            var session = sessions.Restore(row.ClientId, row.Number, SessionState.Dormant);
            session.Restore(row, state.Queues.GetValueOrDefault(row.Number));
            session.ExpiresAt = row.ExpiresAt
                ?? (row.ExpiryInterval == uint.MaxValue ? null : ended + (row.ExpiryInterval * 1000L));
            prepare(session);
            expiry.Add(session);
            byNumber.Add(row.Number, session);
            shared.Restore(session);
        }

        Subscribe(state, byNumber);
        AddReplays(state, byNumber);
    }

    private static void Subscribe(RecoveredState state, Dictionary<long, Session> byNumber)
    {
        foreach (var row in state.Subscriptions)
        {
            byNumber.GetValueOrDefault(row.Session)?.Subscribe(row.Filter, row.Options, row.Identifier, out _);
        }
    }

    private void AddReplays(RecoveredState state, Dictionary<long, Session> byNumber)
    {
        foreach (var row in state.Replays)
        {
            if (byNumber.GetValueOrDefault(row.Session) is { } session
                && session.Subscriptions.FirstOrDefault(s => s.Filter == row.Filter) is { } subscription)
            {
                var entries = retained.Match(subscription.RoutedFilter, row.AfterNumber);
                var upTo = row.UpTo == MessageId.None ? (MessageId?)null : row.UpTo;
                session.AddReplay(new RetainedReplay(subscription, entries, retained.Version, row.AfterNumber, upTo));
            }
        }
    }

    private void AddWill(WillRow row, long ended, long now)
    {
        // The connection of a Will without a time was open when the broker ended. Its client, and those who listen
        // for its Will, get a moment to be back.
        var due = row.PublishAt ?? Math.Max(
            ended + (row.DelayInterval * 1000L), now + (long)options.WillGraceAfterRestart.TotalMilliseconds);
        wills.Delay(new DelayedWill(Will.FromRow(row), due, IsLeftByBroker: row.PublishAt is null));
    }
}
