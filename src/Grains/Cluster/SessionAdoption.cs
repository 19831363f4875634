using Broker.Grains.Delayed;
using Broker.Grains.Recovery;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>Takes over what dead silos have left: their sessions, as dormant ones, their Wills and their delayed messages.</summary>
public sealed partial class SessionAdoption(
    ClusterStore store,
    IMessageStore messages,
    StateRecovery recovery,
    Adoptions adoptions,
    SessionTable sessions,
    DelayedMessages delayed,
    TimeProvider time,
    ILogger<SessionAdoption> logger) : IDisposable
{
    // Of one transaction: small enough that several silos share the work.
    private const int SessionsPerStep = 500;

    // One step is one transaction; none of it comes into memory.
    private const int DelayedPerStep = 5_000;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly ILogger _logger = logger;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly Lock _nextGate = new();
    private Task? _next;
    private bool _isUnanswered;

    /// <summary>
    /// Takes over sessions and Wills of dead silos until there are none. They are in the index when it completes. One look at the
    /// database serves all who ask before it begins: thousands of clients of a dead silo do so at once, and others wait behind them.
    /// </summary>
    public Task AdoptAllAsync()
    {
        lock (_nextGate)
        {
            // Not on the scheduler of one caller, which may be a grain's.
            return _next ??= Task.Run(AdoptAsync);
        }
    }

    /// <summary>Completes when no adoption is under way.</summary>
    public async Task WhenIdleAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        _gate.Release();
    }

    /// <inheritdoc />
    public void Dispose() => _gate.Dispose();

    private async Task AdoptAsync()
    {
        await _gate.WaitAsync();
        try
        {
            lock (_nextGate)
            {
                _next = null;
            }

            if (_isUnanswered)
            {
                await FindUnknownAsync();
                _isUnanswered = false;
            }

            // Until the end of it nobody knows what the database has done.
            _isUnanswered = true;
            while (await AdoptSomeAsync())
            {
            }

            // Those without a session; the others have come with theirs.
            AddWills(await store.AdoptWillsAsync(CancellationToken.None));
            await AdoptDelayedAsync();
            await store.PurgeExclusiveAsync(CancellationToken.None);
            _isUnanswered = false;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<bool> AdoptSomeAsync()
    {
        var adopted = await store.AdoptAsync(time.GetUtcNow().ToUnixTimeMilliseconds(), SessionsPerStep, CancellationToken.None);
        if (adopted.Count > 0)
        {
            await AddAsync(adopted);
            return true;
        }

        if (!await store.AreLeftAsync(CancellationToken.None))
        {
            return false;
        }

        // Somebody else is taking them, or a transaction that was under way is being shut out.
        await Task.Delay(Pause);
        return true;
    }

    /// <summary>Those that another silo is just taking are left to it.</summary>
    private async Task AdoptDelayedAsync()
    {
        DelayedSummary taken;
        do
        {
            taken = await store.AdoptDelayedAsync(DelayedPerStep, CancellationToken.None);
            delayed.TakenOver(taken);
        }
        while (taken.Count > 0);
    }

    /// <summary>After an adoption that failed: sessions and Wills may be this silo's of which it does not know.</summary>
    private async Task FindUnknownAsync()
    {
        // Before and after: one that ends meanwhile is not unknown. What has ended is gone from the store.
        var known = sessions.All.Select(static s => s.Number).ToHashSet();
        await messages.FlushAsync();
        var adopted = await store.AdoptedAsync(CancellationToken.None);
        await delayed.RecountAsync(CancellationToken.None);
        known.UnionWith(sessions.All.Select(static s => s.Number));
        foreach (var step in adopted.Where(a => !known.Contains(a.Session)).Chunk(SessionsPerStep))
        {
            await AddAsync(step);
        }

        AddWills(await store.WillsAsync(CancellationToken.None));
    }

    /// <summary>Wills without a session here: those of sessions that are here have come with them, and take their own course.</summary>
    private void AddWills(IEnumerable<AdoptedWill> wills) => recovery.AddWills(wills.Where(w => sessions.Find(w.Row.ClientId) is null));

    private async Task AddAsync(IReadOnlyCollection<(long Session, SiloAddress? Former)> adopted)
    {
        var former = adopted.ToDictionary(static a => a.Session, static a => a.Former);
        var wills = await store.AdoptWillsAsync(former.Keys, CancellationToken.None);
        var state = await store.LoadAsync(former.Keys, CancellationToken.None);
        foreach (var row in state.Sessions)
        {
            if (sessions.Find(row.ClientId) is { } leftover)
            {
                // What this silo had for the client is older than what the store says.
                sessions.Discard(leftover);
            }
        }

        // Before their sessions: a CONNECT that finds its session here decides about the Will as well.
        recovery.AddWills(wills);
        recovery.AddSessions(state, session =>
            session.Adoption = former[session.Number] is { } silo ? adoptions.Of(silo) : null);
        Adopted(state.Sessions.Count);
    }

    [LoggerMessage(345, LogLevel.Information, "{Count} sessions taken over from silos that are gone")]
    private partial void Adopted(int count);
}
