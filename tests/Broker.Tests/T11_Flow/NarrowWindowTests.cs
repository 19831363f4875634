using System.Diagnostics;
using System.Globalization;

namespace Broker.Tests.T11_Flow;

/// <summary>
/// Flow control never stops for good: a window of 1 on both sides, QoS 2 in both directions at once, slow answers, and connections
/// that break at any point of an exchange.
/// </summary>
[Collection(HeavyCollection.Name)]
public sealed class NarrowWindowTests() : OwnBrokerTest(("Limits:ReceiveMaximum", "1"), ("Session:MaxInflight", "1"))
{
    private const int Pairs = 16;

    /// <summary>Messages in all; BROKER_FLOW_MESSAGES asks for more, for example 1,000,000.</summary>
    private static int Messages { get; } = Environment.GetEnvironmentVariable("BROKER_FLOW_MESSAGES") is { Length: > 0 } given
        ? int.Parse(given, CultureInfo.InvariantCulture)
        : 10_000;

    [OwnFact]
    public async Task Window_of_one_on_both_sides_never_deadlocks_MQTT_4_9_0_2()
    {
        var seed = Random.Shared.Next();
        var clients = new List<DuplexClient>();
        for (var pair = 0; pair < Pairs; pair++)
        {
            var version = pair % 2 == 0 ? ProtocolVersion.Mqtt5 : ProtocolVersion.Mqtt311;
            clients.Add(NewClient(version, pair, "a", "b", new Random(seed + (2 * pair))));
            clients.Add(NewClient(version, pair, "b", "a", new Random(seed + (2 * pair) + 1)));
        }

        await Task.WhenAll(clients.Select(client => client.SubscribeAsync()));
        var clock = Stopwatch.StartNew();
        try
        {
            await Task.WhenAll(clients.Select(client => client.RunAsync()));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            throw new TestFailureException($"seed {seed}: {failure.Message}");
        }

        var sent = clients.Sum(client => client.Sent);
        Progress.Report($"window of one: {sent} messages each way complete in {clock.Elapsed.TotalSeconds:F0} s, "
            + $"{clients.Sum(client => client.Connections)} connections, seed {seed}");
        Assert.Equal(sent, clients.Sum(client => client.Received));
    }

    private DuplexClient NewClient(ProtocolVersion version, int pair, string own, string other, Random random)
    {
        var options = ConnectOptions.Durable(version, Id($"{pair}/{own}"));
        if (version == ProtocolVersion.Mqtt5)
        {
            options.Properties.Add(Prop.ReceiveMaximum, 1);
        }

        return new DuplexClient(
            () => Broker, options, Topic($"{pair}/{other}"), Topic($"{pair}/{own}"), Messages / (2 * Pairs), random);
    }
}
