using Broker.TestKit.Checks;
using Xunit.Abstractions;

namespace Broker.Tests.T14_Durability;

/// <summary>
/// The broker is killed at random moments while publishers and durable subscribers work. Every acknowledged message
/// reaches every subscriber, in order, and at QoS 2 once; every session is still there.
/// </summary>
[Collection(HeavyCollection.Name)]
public sealed class KillUnderLoadTests(ITestOutputHelper output) : OwnBrokerTest(("Session:MaxQueued", "0"), ("Session:MaxQueuedBytes", "0"))
{
    private const int Publishers = 8;
    private const int Subscribers = 8;
    private const int Kills = 20;

    // 90 s after the last kill: what is left is a backlog of some seconds of work.
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(90);

    [OwnTheory]
    [InlineData(1, ProtocolVersion.Mqtt311)]
    [InlineData(2, ProtocolVersion.Mqtt5)]
    public async Task Kill_loses_doubles_and_reorders_nothing(int qos, ProtocolVersion version)
    {
        var seed = Environment.GetEnvironmentVariable("BROKER_TEST_SEED") is { Length: > 0 } given
            ? int.Parse(given, System.Globalization.CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        var random = new Random(seed);
        Say($"QoS {qos}, seed {seed}");
        var checker = new DeliveryChecker(Publishers, Subscribers, isExactlyOnce: qos == 2);
        using var stop = new CancellationTokenSource();
        var subscribers = Enumerable.Range(0, Subscribers).Select(number => new DurableSubscriber(
            () => Broker, ConnectOptions.Durable(version, Id($"s{number}")), Topic("#"), number, qos, checker)).ToList();
        var publishers = Enumerable.Range(0, Publishers).Select(number => new ReliablePublisher(
            () => Broker, ConnectOptions.Durable(version, Id($"p{number}")), Topic($"{number}"), number, qos, checker)).ToList();

        var receiving = subscribers.Select(client => client.RunAsync(stop.Token)).ToList();
        await ReadyAsync(subscribers, receiving);
        var sending = publishers.Select(client => client.RunAsync(stop.Token)).ToList();
        await ReadyAsync(publishers, sending);

        await KillRepeatedlyAsync(random, checker, [.. receiving, .. sending]);

        publishers.ForEach(client => client.Finish());
        await Task.WhenAll(sending).WithinAsync(DrainLimit, () => $"publishers are not done: {checker.Report()}");
        await Eventually.TrueAsync(
            () => checker.IsComplete, DrainLimit, () => $"seed {seed}: deliveries are missing: {checker.Report()}");
        await stop.CancelAsync();
        await Task.WhenAll(receiving);

        var report = checker.Report();
        Say($"{report}");
        Assert.True(report.IsClean, $"seed {seed}: {report}");
        Assert.InRange(report.Acknowledged, Kills * Publishers, int.MaxValue);
    }

    private async Task KillRepeatedlyAsync(Random random, DeliveryChecker checker, IReadOnlyList<Task> clients)
    {
        for (var round = 1; round <= Kills; round++)
        {
            // Work resumes, then the broker runs for a random while: the kill falls into any phase, recovery included.
            var before = checker.AcknowledgedCount;
            await Eventually.TrueAsync(
                () => checker.AcknowledgedCount > before || clients.Any(client => client.IsFaulted),
                ScriptedClient.Patience * 3,
                () => $"no message was acknowledged after restart {round - 1}: {checker.Report()}\n{Server.Output.Text}");
            await Task.Delay(random.Next(0, 700));
            await Server.RestartAsync();
            Assert.True(checker.Report().Duplicated + checker.Report().Reordered == 0, $"{checker.Report()}");
            var failed = clients.FirstOrDefault(client => client.IsFaulted);
            if (failed is not null)
            {
                await failed;
            }

            Say($"kill {round} of {Kills}, {checker.AcknowledgedCount} messages acknowledged");
        }
    }

    private static async Task ReadyAsync(IEnumerable<ReconnectingClient> clients, IEnumerable<Task> runs)
    {
        var ready = Task.WhenAll(clients.Select(client => client.Ready));
        var first = await Task.WhenAny([ready, Task.Delay(ScriptedClient.Patience), .. runs]);
        await first;
        Assert.True(ready.IsCompletedSuccessfully, "not all clients were connected in time");
    }

    private void Say(string line)
    {
        output.WriteLine(line);
        Progress.Report(line);
    }
}
