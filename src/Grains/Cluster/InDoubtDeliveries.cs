using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Broker.Grains.Sessions;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// Rows of QoS 2 deliveries that are acknowledged and stay all the same, because the publisher of the message may publish it
/// again through another silo: the row says that the session has had it (promise 2). They go when the publisher's packet id
/// is not in the store any more, because PUBREL has come, or because the publisher's session has ended; those of a delayed
/// message when its own row has gone. The database is asked for that now and then, for all at once, and not told: nothing has
/// to arrive for a row to go, and none goes early.
/// <para>
/// Bounded by what publishers may have unreleased (Receive Maximum), and delayed messages on their way, times the subscribers
/// that are faster than them.
/// </para>
/// </summary>
public sealed partial class InDoubtDeliveries : IAsyncDisposable
{
    // PUBREL usually comes within milliseconds of PUBREC; a row too long costs nothing but its place. A publisher that is away
    // is asked for less often.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(8);

    // Of one query.
    private const int MaxIds = 5_000;

    private readonly ClusterStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Meter _meter = new("Broker.Cluster");
    private readonly ConcurrentQueue<Delivery> _fresh = new();
    private readonly List<Delivery> _held = [];
    private readonly CancellationTokenSource _closing = new();
    private Task _work = Task.CompletedTask;
    private int _isRunning;
    private int _count;

    public InDoubtDeliveries(ClusterStore store, TimeProvider time, ILogger<InDoubtDeliveries> logger)
    {
        _store = store;
        _time = time;
        _logger = logger;
        _meter.CreateObservableUpDownCounter(
            "broker.deliveries.in_doubt",
            () => Count,
            description: "Rows of acknowledged QoS 2 deliveries that stay until their publisher cannot repeat the message.");
    }

    /// <summary>Rows held back now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Keeps the row of an acknowledged delivery; see <see cref="SessionEnvironment.HoldBack"/>.</summary>
    public void Hold(Delivery delivery)
    {
        Interlocked.Increment(ref _count);
        _fresh.Enqueue(delivery);
        if (Interlocked.Exchange(ref _isRunning, 1) == 0)
        {
            _work = Task.Run(RunAsync);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
        _meter.Dispose();
    }

    private async Task RunAsync()
    {
        var pause = ShortestPause;
        do
        {
            await Task.Delay(pause, _time, _closing.Token);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            while (_fresh.TryDequeue(out var delivery))
            {
                _held.Add(delivery);
                pause = ShortestPause;
            }

            try
            {
                await LetGoAsync();
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                // They wait; a row that stays is no harm.
                NotAsked(error.Message);
            }
        }
        while (_held.Count > 0 || !TryStop());
    }

    /// <summary>False when something has come meanwhile.</summary>
    private bool TryStop()
    {
        Interlocked.Exchange(ref _isRunning, 0);
        return _fresh.IsEmpty || Interlocked.Exchange(ref _isRunning, 1) != 0;
    }

    private async Task LetGoAsync()
    {
        foreach (var ids in _held.Select(static d => d.InDoubt).Distinct().Chunk(MaxIds).ToList())
        {
            var repeatable = (await _store.RepeatableAsync(ids, _closing.Token)).ToHashSet();
            var asked = ids.ToHashSet();
            _held.RemoveAll(delivery =>
            {
                if (!asked.Contains(delivery.InDoubt) || repeatable.Contains(delivery.InDoubt))
                {
                    return false;
                }

                Interlocked.Decrement(ref _count);
                delivery.Session.EndHoldBack(delivery);
                return true;
            });
        }
    }

    [LoggerMessage(365, LogLevel.Debug, "It is not known which messages may be repeated: {Cause}")]
    private partial void NotAsked(string cause);
}
