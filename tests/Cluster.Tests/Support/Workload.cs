using System.Net;
using Broker.TestKit.Checks;

namespace Broker.Cluster.Tests.Support;

/// <summary>
/// Publishers and durable subscribers that come back through any silo, or stay at theirs, and the checker of what they were promised.
/// Every subscriber gets every message.
/// </summary>
internal sealed class Workload : IAsyncDisposable
{
    // Some seconds of work, a takeover, and a machine that does other things as well.
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(90);

    private readonly LocalCluster _cluster;
    private readonly DeliveryChecker _checker;
    private readonly List<DurableSubscriber> _subscribers;
    private readonly List<ReliablePublisher> _publishers;
    private readonly CancellationTokenSource _stop = new();
    private List<Task> _receiving = [];
    private List<Task> _sending = [];

    public Workload(
        LocalCluster cluster, Random random, int qos, ProtocolVersion version, bool isExactlyOnce, string prefix = "",
        int publishers = 4, int subscribers = 4)
        : this(cluster, random, _ => qos, qos, version, _ => isExactlyOnce, prefix, publishers, subscribers)
    {
    }

    private Workload(
        LocalCluster cluster, Random random, Func<int, int> qosOf, int granted, ProtocolVersion version, Func<int, bool> isExactlyOnce, string prefix,
        int publishers, int subscribers, IReadOnlyList<int>? silos = null)
    {
        _cluster = cluster;
        _checker = new DeliveryChecker(publishers, subscribers, isExactlyOnce);
        _subscribers = [.. Enumerable.Range(0, subscribers).Select(number => new DurableSubscriber(
            () => Silo(number), ConnectOptions.Durable(version, $"{prefix}s{number}"), $"{prefix}work/#", number, granted, _checker)
        {
            LeavesSilentBrokers = true,
        })];
        _publishers = [.. Enumerable.Range(0, publishers).Select(number => new ReliablePublisher(
            () => Silo(number), ConnectOptions.Durable(version, $"{prefix}p{number}"), $"{prefix}work/{number}", number, qosOf(number), _checker)
        {
            LeavesSilentBrokers = true,
        })];

        // Two neighbours at each, so that there are publishers of both QoS.
        EndPoint Silo(int number) => silos is null ? cluster.Any(random) : cluster.Silos[silos[number / 2 % silos.Count]].Mqtt;
    }

    /// <summary>Publishers of both QoS in turn, and subscribers that get each message as it was published.</summary>
    /// <param name="silos">Where the clients are, each at one of these all the time; null: at any silo.</param>
    public static Workload OfBothQos(
        LocalCluster cluster, Random random, ProtocolVersion version, string prefix, IReadOnlyList<int>? silos = null) =>
        new(cluster, random, QosOf, granted: 2, version, static publisher => QosOf(publisher) == 2, prefix, publishers: 4, subscribers: 4, silos);

    /// <summary>Messages acknowledged so far.</summary>
    public int Acknowledged => _checker.AcknowledgedCount;

    /// <summary>Publishes refused with a reason code; 3.x clients cannot be told and find their connection closed.</summary>
    public int Refusals => _publishers.Sum(static publisher => publisher.Refusals);

    public DeliveryReport Report => _checker.Report();

    public IReadOnlyList<ReconnectingClient> Clients => [.. _subscribers, .. _publishers];

    public async Task StartAsync()
    {
        _receiving = [.. _subscribers.Select(client => client.RunAsync(_stop.Token))];
        await ReadyAsync(_subscribers, _receiving);
        _sending = [.. _publishers.Select(client => client.RunAsync(_stop.Token))];
        await ReadyAsync(_publishers, _sending);
    }

    /// <summary>Returns when so many more messages have been acknowledged.</summary>
    public async Task ProgressAsync(int messages, TimeSpan limit)
    {
        var goal = Acknowledged + messages;
        await Eventually.TrueAsync(() => Acknowledged >= goal || Failed is not null, limit, () => $"{messages} more messages: {Report}\n{_cluster.Log}");
        if (Failed is { } failed)
        {
            await failed;
        }
    }

    /// <summary>Brings everything to its end: all that was acknowledged has arrived, once, in order.</summary>
    public async Task<DeliveryReport> FinishAsync(string scenario)
    {
        _publishers.ForEach(static client => client.Finish());
        await Task.WhenAll(_sending).WithinAsync(DrainLimit, () => $"{scenario}: publishers are not done: {Report}\n{_cluster.Log}");
        await Eventually.TrueAsync(() => _checker.IsComplete, DrainLimit, () => $"{scenario}: deliveries are missing: {Report}\n{_cluster.Log}");
        await _stop.CancelAsync();
        await Task.WhenAll(_receiving);
        Assert.True(Report.IsClean, $"{scenario}: {Report}\n{_cluster.Log}");
        return Report;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var client in Clients)
        {
            client.Cut();
        }

        await Task.WhenAll([.. _receiving, .. _sending]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static int QosOf(int publisher) => 1 + (publisher % 2);

    private Task? Failed => _receiving.Concat(_sending).FirstOrDefault(static run => run.IsFaulted);

    private async Task ReadyAsync(IEnumerable<ReconnectingClient> clients, List<Task> runs)
    {
        var ready = Task.WhenAll(clients.Select(static client => client.Ready));
        await Task.WhenAny(ready, Task.WhenAny(runs), Task.Delay(DrainLimit));
        if (!ready.IsCompleted)
        {
            foreach (var run in runs.Where(static run => run.IsCompleted))
            {
                await run;
            }

            throw new TestFailureException($"clients are not ready\n{_cluster.Log}");
        }
    }
}
