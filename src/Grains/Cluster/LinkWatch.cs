using System.Diagnostics.Metrics;
using Broker.Grains.Alarms;
using Broker.Grains.Storage;
using Broker.Grains.Topics;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Cluster;

/// <summary>
/// Notices that a living silo does not answer this one. The membership does not act on that as long as a third silo reaches
/// both; but publishes, subscriptions and session moves between the two stand still meanwhile, for the clients of both. So after
/// <see cref="ClusterStoreOptions.LinkTimeout"/> one of them leaves, its clients go to silos that reach everybody, and it
/// joins again when its links are whole, which joining checks.
/// <para>
/// Which one: the one with more silent silos, else the younger. Each writes its number of them into the database as soon as
/// it knows it, long before either decides, so that both compare the same two numbers. A silo that is out of its time decides
/// nothing: then it is cut off from the database as well, and the membership will act.
/// </para>
/// </summary>
public sealed partial class LinkWatch(
    Peers peers,
    LiveSilos silos,
    ClusterStore store,
    SiloTime siloTime,
    IFatalErrorHandler leaving,
    ClusterStoreOptions options,
    LinkAlarms alarms,
    TimeProvider time,
    ILogger<LinkWatch> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    // Longer than the membership takes to find a dead silo, so that a death is not reported as a cut link first.
    private static readonly TimeSpan Silent = TimeSpan.FromSeconds(4);

    // A filter that nobody subscribes to: asking for its interest does nothing but answer, in every version.
    private const string Question = "$SYS/broker/link";

    private readonly ILogger _logger = logger;
    private readonly Dictionary<SiloAddress, Link> _links = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly Meter _meter = new("Broker.Grains");
    private Task _work = Task.CompletedTask;
    private volatile int _silent;
    private int _told;

    /// <summary>Living silos that do not answer this one.</summary>
    public int SilentSilos => _silent;

    /// <summary>Begins to watch.</summary>
    public void Start()
    {
        _meter.CreateObservableGauge("broker.silos.silent", () => _silent, "{silo}", "Living silos that do not answer this one.");
        _work = Task.Run(RunAsync);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _work;
        _meter.Dispose();
        _closing.Dispose();
    }

    /// <summary>Whether, of two silos that do not reach each other, this one leaves.</summary>
    internal static bool Leaves((int Silent, SiloAddress Silo) own, (int Silent, SiloAddress Silo) other) =>
        own.Silent != other.Silent ? own.Silent > other.Silent
        : own.Silo.Generation != other.Silo.Generation ? own.Silo.Generation > other.Silo.Generation
        : own.Silo.CompareTo(other.Silo) > 0;

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Tick, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token))
            {
                try
                {
                    await LookAsync();
                }
                catch (StoreException error)
                {
                    // Nothing is decided without the database; the next look tries again.
                    NotDecided(error.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    private async Task LookAsync()
    {
        var living = peers.Living.ToList();
        foreach (var gone in _links.Keys.Except(living.Select(static p => p.Address)).ToList())
        {
            _links.Remove(gone);
        }

        foreach (var peer in living)
        {
            if (!_links.TryGetValue(peer.Address, out var link))
            {
                _links[peer.Address] = link = new Link(time);
            }

            link.Ask(() => peer.Inbox.InterestIn(Question));
            Report(peer.Address, link);
        }

        _silent = _links.Values.Count(static link => link.IsReported);
        if (_silent != _told)
        {
            await store.NoteSilentAsync(_silent, _closing.Token);
            _told = _silent;
        }

        if (options.LinkTimeout > TimeSpan.Zero && siloTime.IsValid)
        {
            await DecideAsync();
        }
    }

    private void Report(SiloAddress silo, Link link)
    {
        var silence = link.Silence;
        var isSilent = silence > Silent;
        alarms.Note(silo, isSilent ? silence : null);
        if (isSilent == link.IsReported)
        {
            return;
        }

        link.IsReported = isSilent;
        if (isSilent)
        {
            DoesNotAnswer(silo, options.LinkTimeout);
        }
        else
        {
            Answers(silo);
        }
    }

    private async Task DecideAsync()
    {
        foreach (var (silo, link) in _links)
        {
            if (link.Silence < options.LinkTimeout || await store.SilentOfAsync(silo, _closing.Token) is not { } theirs)
            {
                continue;
            }

            if (Leaves((_silent, silos.Local), (theirs, silo)))
            {
                await store.LeaveAsync(_closing.Token);
                leaving.OnFatalException(this, $"it and silo {silo} have not reached each other for {link.Silence.TotalSeconds:F0} s");
                return;
            }
        }
    }

    [LoggerMessage(370, LogLevel.Warning, "Silo {Silo} does not answer, though it lives: messages between it and this one wait; after {Limit} one of the two leaves")]
    private partial void DoesNotAnswer(SiloAddress silo, TimeSpan limit);

    [LoggerMessage(371, LogLevel.Information, "Silo {Silo} answers again")]
    private partial void Answers(SiloAddress silo);

    [LoggerMessage(372, LogLevel.Debug, "Which silo leaves is not decided: {Cause}")]
    private partial void NotDecided(string cause);

    /// <summary>The way to one silo. One question is under way at a time, and is given up for the next after a while.</summary>
    private sealed class Link(TimeProvider time)
    {
        private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(3);

        private long _answered = time.GetTimestamp();
        private Task _question = Task.CompletedTask;

        public bool IsReported { get; set; }

        public TimeSpan Silence => time.GetElapsedTime(Volatile.Read(ref _answered));

        public void Ask(Func<Task> question)
        {
            if (_question.IsCompleted)
            {
                _question = AskAsync(question);
            }
        }

        private async Task AskAsync(Func<Task> question)
        {
            try
            {
                await question().WaitAsync(AnswerTime, time);
                Volatile.Write(ref _answered, time.GetTimestamp());
            }
            catch (Exception)
            {
                // Whatever it was, it is no answer. How long there has been none is what counts.
            }
        }
    }
}
