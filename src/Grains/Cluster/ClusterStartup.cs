using Broker.Grains.Alarms;
using Broker.Grains.Sessions;
using Broker.Grains.Shared.Cluster;
using Broker.Grains.Storage;
using Broker.Grains.Topics;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// How a silo joins, between its membership and its first connection: it takes over what dead silos have left, tells the
/// others what it has, and waits until it knows what they have. Whoever publishes through it then reaches everybody.
/// </summary>
public sealed partial class ClusterStartup(
    IMessageStore messages,
    ClusterStore store,
    SiloTime siloTime,
    LocalInterest local,
    Peers peers,
    DeadSilos dead,
    SharedPlaces shared,
    SessionAdoption adoption,
    RetainedSync retained,
    InDoubtDeliveries inDoubt,
    SessionEnvironment sessions,
    LiveSilos silos,
    EndedSilos ended,
    LinkWatch links,
    AlarmService alarms,
    ILogger<ClusterStartup> logger)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    // A silo that does not answer is asked again, or is dead by then.
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(3);

    private readonly ILogger _logger = logger;
    private volatile string? _obstacle = "joining the cluster";

    /// <summary>What the silo still lacks to know what the others know, in a few words; null when it has all of it.</summary>
    public string? Obstacle => _obstacle;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        local.IsEnabled = true;
        sessions.HoldBack = inDoubt.Hold;
        shared.Open();
        await messages.OpenAsync(cancellationToken);
        await alarms.LoadAsync(cancellationToken);
        await siloTime.StartAsync(silos.Local, cancellationToken);
        ended.Start();
        peers.Open();
        _obstacle = "taking over what dead silos have left";
        await AdoptAsync(cancellationToken);
        dead.Open();
        _obstacle = "telling the other silos what this one has";
        local.Ready();
        await local.AnnouncedAsync().WaitAsync(cancellationToken);
        _obstacle = "the index is not complete: other silos have not told all they are interested in";
        await AllCompleteAsync(cancellationToken);
        links.Start();

        // Last: whatever is set from here on comes through the inbox, because every silo knows this one; what was set
        // before is in the store once they have committed it.
        _obstacle = "waiting until the other silos have committed what they were routing";
        await AllCommittedAsync(cancellationToken);
        _obstacle = "loading the retained messages";
        await retained.LoadAsync(cancellationToken);
        _obstacle = null;
    }

    /// <summary>
    /// Until all sessions are here or with silos that this one knows. One that joins at the same time may have taken sessions over
    /// before the membership tells of it, and they are found nowhere then: who is there, the database says.
    /// </summary>
    private async Task AdoptAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; ; i++)
        {
            await adoption.AdoptAllAsync().WaitAsync(cancellationToken);
            var others = await store.OthersAsync(cancellationToken);
            var undecided = others.FindAll(o => !o.Lives || (o.IsOfCluster && peers.Get(o.Silo) is null));
            if (undecided.Count == 0)
            {
                return;
            }

            // One of another cluster only its own can declare dead: that may take for ever, and has to be seen.
            var names = string.Join(", ", undecided.Select(static o => o.IsOfCluster ? $"{o.Silo}" : $"{o.Silo} (of another cluster)"));
            _obstacle = $"waiting until silos are declared dead or have been heard of: {names}";
            if (i == 0)
            {
                Undecided(names);
            }

            await Task.Delay(Look, cancellationToken);
        }
    }

    /// <summary>
    /// Also of silos that have died: this one does not know what they were interested in, so it publishes nothing before
    /// their sessions are with silos that it knows all of.
    /// </summary>
    private async Task AllCompleteAsync(CancellationToken cancellationToken)
    {
        while (peers.All.FirstOrDefault(static p => !p.Complete.IsCompleted) is { } peer)
        {
            await peer.Complete.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Also what they were routing when they heard of this silo.</summary>
    private async Task AllCommittedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await Task.WhenAll(peers.Living.Select(static p => CommitAsync(p))).WaitAsync(AnswerTime, cancellationToken);
                return;
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                // One of them may be frozen, and found dead before long.
                NotCommitted(error.Message);
                await Task.Delay(Look, cancellationToken);
            }
        }

        static async Task CommitAsync(Peer peer)
        {
            await peer.Inbox.Drain();
            await peer.Inbox.Flush("");
        }
    }

    [LoggerMessage(361, LogLevel.Debug, "The other silos have not committed yet what they were routing: {Cause}")]
    private partial void NotCommitted(string cause);

    [LoggerMessage(360, LogLevel.Information, "Waiting until silos are declared dead, to take over their sessions, or have been heard of: {Silos}")]
    private partial void Undecided(string silos);
}
