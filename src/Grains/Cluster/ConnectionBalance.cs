using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Options;
using Broker.Grains.Topics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// Sends clients away from a silo that has more than its share of the connections, at a bounded rate: they come back through the
/// balancer, to silos that have fewer. Each silo decides for itself, from what the others say they have. Nothing hangs on it: a silo that
/// does not answer, or is of a version that does not know the question, is left out.
/// </summary>
public sealed partial class ConnectionBalance(
    IClientConnections clients, Peers peers, LiveSilos silos, RebalanceOptions options, TimeProvider time, ILogger<ConnectionBalance> logger)
    : BackgroundService
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    // A silo that takes longer has other things to do than to take clients.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(3);

    // One that is asked to compare itself asks the others first, and one of those may not answer.
    private static readonly TimeSpan CompareTime = AnswerTime + TimeSpan.FromSeconds(2);

    private readonly ILogger _logger = logger;
    private readonly Lock _gate = new();
    private CancellationToken _stopping;
    private Task _giving = Task.CompletedTask;

    /// <summary>Connections of this silo.</summary>
    public int Connections => clients.Count;

    /// <summary>How many connections a silo has to give, so that it has no more than its share.</summary>
    /// <param name="own">Those that it has.</param>
    /// <param name="others">Those of each other silo.</param>
    /// <param name="tolerance">Share of the average that it may be above it.</param>
    public static int Surplus(int own, IReadOnlyCollection<int> others, double tolerance)
    {
        var average = (own + others.Sum(static o => (double)o)) / (others.Count + 1);
        return own <= average * (1 + tolerance) ? 0 : own - (int)Math.Ceiling(average);
    }

    /// <summary>Has every silo compare itself with the others, and give what it has too much.</summary>
    /// <returns>Each silo with what it gives; null for one that does not answer.</returns>
    public async Task<IReadOnlyList<(SiloAddress Silo, int? Surplus)>> AllAsync()
    {
        var answers = await Task.WhenAll(peers.Living.Select(
            async peer => (peer.Address, await AskAsync(peer, static inbox => inbox.Rebalance(), CompareTime))));
        return [(silos.Local, await OwnAsync()), .. answers];
    }

    /// <summary>Compares this silo with the others, and begins to give what it has too much.</summary>
    /// <returns>How many clients it sends away; 0 when it does so already.</returns>
    public async Task<int> OwnAsync()
    {
        var others = await Task.WhenAll(peers.Living.Select(peer => AskAsync(peer, static inbox => inbox.Connections(), AnswerTime)));
        var surplus = Surplus(clients.Count, [.. others.OfType<int>()], options.Tolerance);
        lock (_gate)
        {
            if (surplus == 0 || !_giving.IsCompleted)
            {
                return 0;
            }

            _giving = GiveAsync(surplus);
            return surplus;
        }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _stopping = stoppingToken;
        if (options.Interval == TimeSpan.Zero)
        {
            return;
        }

        using var timer = new PeriodicTimer(options.Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await OwnAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    private Task<int?> AskAsync(Peer peer, Func<ISiloInbox, Task<int>> question, TimeSpan patience) => InboxClient.AskAsync<int?>(
        _ => peer.Inbox, peer.Address, async inbox => await question(inbox), patience, (failure, silo) => NoAnswer(silo, failure.Message));

    private async Task GiveAsync(int surplus)
    {
        Gives(surplus, clients.Count);
        var began = time.GetTimestamp();
        var given = 0;
        while (given < surplus && !_stopping.IsCancellationRequested)
        {
            var due = Math.Min(surplus, (int)(time.GetElapsedTime(began).TotalSeconds * options.Rate)) - given;
            var done = clients.SendAway(due);
            given += done;
            if (done < due)
            {
                break;
            }

            await Task.Delay(Step, time, CancellationToken.None);
        }

        Given(given, time.GetElapsedTime(began).TotalSeconds);
    }

    [LoggerMessage(380, LogLevel.Information, "Rebalance: {Surplus} of {Count} clients are sent to other silos")]
    private partial void Gives(int surplus, int count);

    [LoggerMessage(381, LogLevel.Information, "Rebalance: {Count} clients were sent away in {Seconds:F1} s")]
    private partial void Given(int count, double seconds);

    [LoggerMessage(382, LogLevel.Debug, "Rebalance: silo {Silo} does not answer: {Cause}")]
    private partial void NoAnswer(SiloAddress silo, string cause);
}
