using System.Diagnostics;
using System.Globalization;

namespace Broker.Cluster.Tests;

/// <summary>
/// Flow control between silos never stops for good: a window of 1 on both sides, QoS 2 in both directions at once, and sessions that
/// move to any silo at any point of an exchange. Each message comes once, in order.
/// </summary>
public sealed class NarrowWindowTests(ITestOutputHelper output) : ClusterTest(output)
{
    private const int Pairs = 16;
    private const int Messages = 2_560;

    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        ["Limits:ReceiveMaximum"] = "1",
        ["Session:MaxInflight"] = "1",
    };

    [Fact]
    public async Task Window_of_one_on_both_sides_never_deadlocks_between_silos_MQTT_4_9_0_2()
    {
        var clients = Enumerable.Range(0, Pairs).SelectMany(pair => (DuplexClient[])[NewClient(pair, "a", "b"), NewClient(pair, "b", "a")]).ToList();
        await Task.WhenAll(clients.Select(static client => client.SubscribeAsync()));
        var clock = Stopwatch.StartNew();
        try
        {
            await Task.WhenAll(clients.Select(static client => client.RunAsync()));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            throw new TestFailureException($"seed {Seed}: {failure}\n{Cluster.Log}");
        }

        var sent = clients.Sum(static client => client.Sent);
        Say(string.Create(
            CultureInfo.InvariantCulture,
            $"window of one: {sent} messages complete in {clock.Elapsed.TotalSeconds:F1} s, {clients.Sum(static c => c.Connections)} connections, seed {Seed}"));
        Assert.Equal(Messages, sent);
        Assert.Equal(sent, clients.Sum(static client => client.Received));
    }

    private DuplexClient NewClient(int pair, string own, string other)
    {
        var version = pair % 2 == 0 ? ProtocolVersion.Mqtt5 : ProtocolVersion.Mqtt311;
        var options = ConnectOptions.Durable(version, $"{pair}/{own}");
        if (version == ProtocolVersion.Mqtt5)
        {
            options.Properties.Add(Prop.ReceiveMaximum, 1);
        }

        // One of its own, so that a seed repeats its choices however the clients take turns.
        var random = new Random(Seed + (2 * pair) + (own == "a" ? 0 : 1));
        return new DuplexClient(
            () => Cluster.Any(random), options, $"narrow/{pair}/{other}", $"narrow/{pair}/{own}", Messages / (2 * Pairs), random);
    }
}
