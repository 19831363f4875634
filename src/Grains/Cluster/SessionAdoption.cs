using Broker.Grains.Recovery;
using Broker.Grains.Sessions;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>Takes over what dead silos have left: their sessions, as dormant ones, and their Wills.</summary>
public sealed partial class SessionAdoption(
    ClusterStore store,
    StateRecovery recovery,
    Adoptions adoptions,
    SessionTable sessions,
    TimeProvider time,
    ILogger<SessionAdoption> logger) : IDisposable
{
    // Of one transaction: small enough that several silos share the work.
    private const int SessionsPerStep = 500;

    private readonly ILogger _logger = logger;
    private readonly SemaphoreSlim _gate = new(1);

    /// <summary>Takes over sessions and Wills of dead silos until there are none. They are in the index when it returns.</summary>
    public async Task AdoptAllAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            while (await AdoptSomeAsync(cancellationToken))
            {
            }

            recovery.AddWills(await store.AdoptWillsAsync(cancellationToken));
        }
        finally
        {
            _gate.Release();
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

    private async Task<bool> AdoptSomeAsync(CancellationToken cancellationToken)
    {
        var adopted = await store.AdoptAsync(time.GetUtcNow().ToUnixTimeMilliseconds(), SessionsPerStep, cancellationToken);
        if (adopted.Count == 0)
        {
            return false;
        }

        var former = adopted.ToDictionary(static a => a.Session, static a => a.Former);
        var state = await store.LoadAsync(former.Keys, cancellationToken);
        foreach (var row in state.Sessions)
        {
            if (sessions.Find(row.ClientId) is { } leftover)
            {
                // What this silo had for the client is older than what the store says.
                sessions.Discard(leftover);
            }
        }

        recovery.AddSessions(state, session =>
            session.Adoption = former[session.Number] is { } silo ? adoptions.Of(silo) : null);
        Adopted(state.Sessions.Count);
        return true;
    }

    [LoggerMessage(345, LogLevel.Information, "{Count} sessions taken over from silos that are gone")]
    private partial void Adopted(int count);
}
