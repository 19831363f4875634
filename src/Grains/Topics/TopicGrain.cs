using Broker.Grains.Edges;
using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Topics;
using Orleans.Concurrency;

namespace Broker.Grains.Topics;

/// <summary>
/// The authority on one Topic Filter: which silos have sessions that subscribe to it, and the fan-out to them.
/// <para>
/// In a broker of one silo it is on no path: neither SUBSCRIBE nor PUBLISH activates it, because every subscriber stands in
/// the silo's own index and an activation costs 28 µs and 1.8 KB a filter. It is activated by the first publish
/// that has interest elsewhere, or by looking at it.
/// </para>
/// <para>
/// What it knows is derived and never written: on activation it asks the inbox of every live silo, which from then on tells
/// it when interest comes or goes. Answers and pushes carry a version, so that they may cross. A silo that has not
/// answered counts as interested. A silo that is found dead is forgotten, one that joins is asked.
/// </para>
/// <para>
/// Reentrant: publishes of several silos are on their way at the same time. The messages of one silo stay in order because
/// its edge has one call in flight, and because everything up to the edges' queues happens in the order of the calls.
/// </para>
/// </summary>
[Reentrant]
public sealed class TopicGrain(InboxClient inboxes, InboxEdges edges, LiveSilos silos, TopicLog log) : Grain, ITopicGrain
{
    // A frozen silo does not answer until it is found dead; until then it is taken for interested.
    private static readonly TimeSpan FirstAnswers = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(250);

    private readonly Guid _watcher = Guid.NewGuid();
    private readonly InterestMap _interest = new();
    private readonly RepeatGuard<DeliveryOutcome> _repeats = new();
    private readonly HashSet<SiloAddress> _asking = [];
    private int _seenVersion;
    private long _messages;
    private bool _isLeaving;

    private string Filter => GrainKeys.Filter(this.GetPrimaryKeyString());

    /// <inheritdoc />
    public override Task OnActivateAsync(CancellationToken cancellationToken) =>
        Task.WhenAny(Refresh(), Task.Delay(FirstAnswers, cancellationToken));

    /// <inheritdoc />
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // Not waited for: a silo that is not reached tells the next activation in vain once, and drops the watch.
        _isLeaving = true;
        foreach (var silo in _interest.BySilo.Keys)
        {
            inboxes.Of(silo).Unwatch(Filter, _watcher).Ignore();
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task<DeliveryOutcome> Publish(EdgeBatch batch) =>
        _repeats.Once(batch.Edge, batch.Number, DeliveryOutcome.Success, () => FanOutAsync(batch.Batches));

    /// <inheritdoc />
    public Task<bool> InterestChanged(SiloInterest interest, Guid watcher)
    {
        Refresh().Ignore();
        if (watcher == _watcher)
        {
            _interest.Apply(interest);
        }

        return Task.FromResult(watcher == _watcher);
    }

    /// <inheritdoc />
    public async Task<TopicSnapshot> GetState()
    {
        // Silos tell when interest comes or goes; for exact numbers they are asked.
        await Task.WhenAny(Refresh(), Task.Delay(FirstAnswers));
        await Task.WhenAny(
            Task.WhenAll(_interest.BySilo.Keys.Where(s => !_asking.Contains(s)).ToList().Select(TryAskAsync)),
            Task.Delay(FirstAnswers));
        return new TopicSnapshot
        {
            Filter = Filter,
            Silos = [.. _interest.BySilo.Where(static s => s.Value is null or { Exists: true }).Select(s => Describe(s.Key, s.Value))],
            Dormant = _interest.BySilo.Values.Sum(static i => i?.Dormant ?? 0),
            Messages = _messages,
        };
    }

    private TopicSilo Describe(SiloAddress silo, SiloInterest? interest)
    {
        var (items, bytes) = edges.Depth(silo);
        return new TopicSilo
        {
            Silo = silo.ToString(),
            IsKnown = interest is not null,
            Connected = interest?.Connected ?? 0,
            Dormant = interest?.Dormant ?? 0,
            EdgeDepth = items,
            EdgeBytes = bytes,
        };
    }

    private async Task<DeliveryOutcome> FanOutAsync(MessageBatch[] batches)
    {
        Refresh().Ignore();
        foreach (var batch in batches)
        {
            _messages += batch.Count;
        }

        var outcomes = new DeliveryOutcome[batches.Length];
        Array.Fill(outcomes, DeliveryOutcome.Success);
        await Task.WhenAll(_interest.Interested.Select(silo => SendAsync(silo, batches, outcomes)));
        return Concat(batches, outcomes);
    }

    private async Task SendAsync(SiloAddress silo, MessageBatch[] batches, DeliveryOutcome[] outcomes)
    {
        // The silo that accepted a message has delivered it to its own sessions.
        var sent = Enumerable.Range(0, batches.Length).Where(i => !silo.Equals(batches[i].Origin)).ToList();
        if (sent.Count == 0)
        {
            return;
        }

        var outcome = await edges.DeliverAsync(silo, sent.ConvertAll(i => batches[i]));
        var first = 0;
        foreach (var i in sent)
        {
            outcomes[i] = outcomes[i].And(outcome.Slice(first, batches[i].Count));
            first += batches[i].Count;
        }
    }

    private static DeliveryOutcome Concat(MessageBatch[] batches, DeliveryOutcome[] outcomes) =>
        Array.TrueForAll(outcomes, static o => o.Reasons is null)
            ? DeliveryOutcome.Success
            : new DeliveryOutcome { Reasons = [.. outcomes.SelectMany((o, i) => o.Reasons ?? new byte[batches[i].Count])] };

    /// <summary>Takes note of silos that have come or gone, and asks those that are unknown.</summary>
    private Task Refresh()
    {
        var version = silos.Version;
        if (version == _seenVersion)
        {
            return Task.CompletedTask;
        }

        _seenVersion = version;
        _interest.SetLive(silos.All);
        return Task.WhenAll(_interest.Unknown.Where(_asking.Add).ToList().Select(AskUntilAnsweredAsync));
    }

    private async Task AskUntilAnsweredAsync(SiloAddress silo)
    {
        while (!_isLeaving && _interest.BySilo.ContainsKey(silo) && !await TryAskAsync(silo))
        {
            await Task.Delay(AskAgain);
            Refresh().Ignore();
        }

        _asking.Remove(silo);
    }

    private async Task<bool> TryAskAsync(SiloAddress silo)
    {
        try
        {
            _interest.Apply(await inboxes.Of(silo).Watch(Filter, _watcher));
            return true;
        }
        catch (Exception e)
        {
            // It starts, stops or dies; as long as it is not known to be dead it is asked again.
            log.NotAnswered(e, silo, Filter);
            return false;
        }
    }
}
