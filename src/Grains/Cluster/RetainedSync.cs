using Broker.Grains.Messages;
using Broker.Grains.Retained;
using Broker.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// Brings the retained messages of all silos and of the store together again when a silo dies in the middle of a publish:
/// some silos may have what it accepted, and its row may be missing; or the row is there, and a silo has not heard of it.
/// Each silo first writes what it has of the dead one, as part of settling it; once all have, each reads. The highest
/// version stays everywhere, as always.
/// </summary>
public sealed partial class RetainedSync(
    RetainedMessages retained, ClusterStore store, IMessageStore messages, ILogger<RetainedSync> logger) : IDisposable
{
    /// <summary>A silo that had something uncommitted for longer was refusing work: see Store:MaxPendingBytes.</summary>
    private static readonly TimeSpan Uncommitted = TimeSpan.FromMinutes(10);

    // Of one transaction.
    private const int TopicsPerWrite = 500;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = logger;
    private readonly HashSet<SiloAddress> _written = [];
    private readonly SemaphoreSlim _gate = new(1);

    /// <summary>All retained messages of the store; the silos that live know this one and have committed what they had before.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken) =>
        retained.Load(await store.LoadRetainedAsync(cancellationToken));

    /// <summary>Returns when everything that this silo has of those is in the store. Nothing comes from them any more.</summary>
    public async Task WriteAsync(IReadOnlyCollection<SiloAddress> dead)
    {
        await _gate.WaitAsync();
        try
        {
            SiloAddress[] fresh = [.. dead.Where(d => !_written.Contains(d))];
            if (fresh.Length == 0)
            {
                return;
            }

            foreach (var node in await store.NodesAsync(fresh, CancellationToken.None))
            {
                foreach (var topics in retained.Latest(node, Uncommitted).Chunk(TopicsPerWrite))
                {
                    var write = new RetainedWrite(retained, [.. topics]);
                    messages.Post(write);
                    await write.Committed;
                }
            }

            _written.UnionWith(fresh);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>All living silos have written what they had of those: reads it, tried until the database answers.</summary>
    public async Task ReadAsync(IReadOnlyCollection<SiloAddress> dead, Func<bool> isStopping)
    {
        while (!isStopping())
        {
            try
            {
                foreach (var node in await store.NodesAsync(dead, CancellationToken.None))
                {
                    var known = retained.Latest(node, Uncommitted);
                    var latest = known.Count == 0 ? 0 : known.Max(static v => v.Version.TimestampMicroseconds);
                    var margin = (ulong)Uncommitted.TotalMicroseconds;
                    var from = new MessageId(latest > margin ? latest - margin : 0, 0);
                    retained.Load(await store.LoadRetainedAsync(node, from, CancellationToken.None));
                }

                return;
            }
            catch (StoreException error)
            {
                NotRead(error.Message);
                await Task.Delay(Pause);
            }
        }
    }

    /// <summary>Removes from the store what has long been cleared.</summary>
    public async Task PurgeAsync()
    {
        try
        {
            await store.PurgeClearedAsync(CancellationToken.None);
        }
        catch (StoreException error)
        {
            // The next silo, or the next minute, does it.
            NotRead(error.Message);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _gate.Dispose();

    [LoggerMessage(355, LogLevel.Debug, "Retained messages are not brought together with the store yet: {Cause}")]
    private partial void NotRead(string cause);
}
