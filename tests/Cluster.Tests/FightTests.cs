using System.Diagnostics;
using System.Net.Sockets;

namespace Broker.Cluster.Tests;

/// <summary>Two clients that have the same id and reconnect at once: one acts at a time, ever more slowly, and nobody else notices.</summary>
public sealed class FightTests(ITestOutputHelper output, HealthyCluster healthy) : HealthyClusterTest(output, healthy)
{
    private const string ClientId = "wanted";

    private static readonly TimeSpan Time = TimeSpan.FromSeconds(12);

    // Four at once, then after 0.1, 0.2, 0.4, … s; and a connection that ends by itself is no takeover. Without that it would be hundreds.
    private const int MostConnects = 24;

    // A round trip of others takes milliseconds; the machine does other things as well.
    private static readonly TimeSpan SlowestRoundTrip = TimeSpan.FromSeconds(5);

    private int _takenOver;

    [Fact]
    public async Task Two_clients_that_fight_for_one_id_on_two_silos_are_slowed_down_and_disturb_nobody()
    {
        using var stop = new CancellationTokenSource();
        var begun = Stopwatch.StartNew();
        var fighters = new[] { FightAsync(0, stop.Token), FightAsync(1, stop.Token) };
        var before = Cluster.Silos.Sum(static s => s.ProcessorTime.TotalSeconds);
        var (rounds, slowest) = await BystanderAsync(Time);
        var cpu = (Cluster.Silos.Sum(static s => s.ProcessorTime.TotalSeconds) - before) / begun.Elapsed.TotalSeconds;
        await stop.CancelAsync();
        var connects = (await Task.WhenAll(fighters)).Sum();

        Say($"{connects} connects of two fighters in {begun.Elapsed.TotalSeconds:F1} s; {rounds} round trips of others, the slowest "
            + $"{slowest.TotalMilliseconds:F0} ms; {cpu:F2} cores for three silos with all that");
        Assert.InRange(connects, 4, MostConnects);

        // Each connection that was accepted and lost was told, but for the last two.
        Assert.InRange(_takenOver, connects - 2, connects);
        Assert.True(slowest < SlowestRoundTrip, $"a round trip of others took {slowest}");
    }

    /// <summary>Connects again whenever it is disconnected; counts how often it was accepted.</summary>
    private async Task<int> FightAsync(int silo, CancellationToken stop)
    {
        var accepted = 0;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var client = await ScriptedClient.OpenAsync(
                    Cluster.Silos[silo].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, ClientId));
                await client.SendAsync(Packets.Connect(client.Options), stop);
                if (await client.NextAsync(TimeSpan.FromSeconds(20)) is not { Type: PacketType.ConnAck, Reason: ReasonCode.Success })
                {
                    continue;
                }

                accepted++;
                while (await client.AnswerOrCloseAsync().WaitAsync(stop) is { } told)
                {
                    Assert.True(told is { Type: PacketType.Disconnect, Reason: ReasonCode.SessionTakenOver }, $"{told}");
                    Interlocked.Increment(ref _takenOver);
                }
            }
            catch (Exception error) when (error is TestFailureException or SocketException or OperationCanceledException)
            {
                // Closed while it connected, or nothing came for a while.
            }
        }

        return accepted;
    }

    private async Task<(int Rounds, TimeSpan Slowest)> BystanderAsync(TimeSpan time)
    {
        await using var subscriber = await ScriptedClient.ConnectAsync(
            Cluster.Silos[0].Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "bystander") with { AcknowledgesByItself = true });
        await using var publisher = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt);
        await subscriber.SubscribeAsync("bystander", qos: 1);
        var clock = Stopwatch.StartNew();
        var slowest = TimeSpan.Zero;
        var rounds = 0;
        for (; clock.Elapsed < time; rounds++)
        {
            var sent = clock.Elapsed;
            await publisher.PublishAsync("bystander", $"{rounds}", qos: 1);
            await subscriber.ExpectPublishAsync("bystander", $"{rounds}");
            slowest = clock.Elapsed - sent > slowest ? clock.Elapsed - sent : slowest;
            await Task.Delay(10);
        }

        return (rounds, slowest);
    }
}
