using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Broker.Cluster.Tests;

/// <summary>Silos that are told to stop while clients work: nobody loses anything, and the sessions move instead of being inherited.</summary>
public sealed partial class RollingRestartTests(ITestOutputHelper output) : ClusterTest(output), IDisposable
{
    private const string Elsewhere = "other.example:1883";
    private const int Bystanders = 40;

    // 40 of them and the workload, 20 a second: two seconds between the first close and the last.
    private const int Rate = 20;

    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly HttpClient _http = new();

    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        ["Shutdown:NoticeTime"] = "2s",
        ["Shutdown:DrainRate"] = Rate.ToString(CultureInfo.InvariantCulture),
        // Over as soon as all sessions have moved; long, because the machine may be busy with other things.
        ["Shutdown:HandOverTime"] = "10s",
        ["Shutdown:ServerReference"] = Elsewhere,
        ["Session:WillGraceAfterRestart"] = "4s",
    };

    [Fact]
    public Task A_rolling_restart() => RestartAllAsync(2, ProtocolVersion.Mqtt5);

    [ChaosFact]
    public Task A_rolling_restart_at_QoS_1_with_MQTT_3() => RestartAllAsync(1, ProtocolVersion.Mqtt311);

    [ChaosFact]
    public Task A_rolling_restart_at_QoS_1_with_MQTT_5() => RestartAllAsync(1, ProtocolVersion.Mqtt5);

    [ChaosFact]
    public Task A_rolling_restart_at_QoS_2_with_MQTT_3() => RestartAllAsync(2, ProtocolVersion.Mqtt311);

    public void Dispose() => _http.Dispose();

    private async Task RestartAllAsync(int qos, ProtocolVersion version)
    {
        var random = new Random(Seed);
        var name = $"rolling restart, QoS {qos}, {version}, seed {Seed}";
        Say(name);
        await using var wills = await WillListener.StartAsync(Cluster, random);
        await using var workload = new Workload(Cluster, random, qos, version, isExactlyOnce: qos == 2);
        await workload.StartAsync();
        await workload.ProgressAsync(200, Recovery);
        for (var silo = 0; silo < Cluster.Silos.Count; silo++)
        {
            try
            {
                await RestartAsync(silo, version);
            }
            catch
            {
                Say(Cluster.Log);
                throw;
            }

            await workload.ProgressAsync(200, Recovery);
            Say($"restarted {silo}: {workload.Report}");
        }

        Say($"{name}: {await workload.FinishAsync(name)}");
        Assert.Equal(0, workload.Refusals);

        // One client on each silo never came back: these have died, nobody else has.
        await wills.ExpectAsync(Enumerable.Range(0, Cluster.Silos.Count).Select(static silo => $"gone {silo}"));
    }

    private async Task RestartAsync(int number, ProtocolVersion version)
    {
        var silo = Cluster.Silos[number];
        var elsewhere = Cluster.Silos[(number + 1) % Cluster.Silos.Count].Mqtt;
        var staying = Enumerable.Range(0, Bystanders).Select(i => NewBystander(version, $"by{number}-{i}", isDurable: i % 2 == 0)).ToList();

        // Never comes back; once with a session that has to be inherited, with the Will.
        var leavesSession = number == 1;
        await using var gone = NewBystander(version, $"gone {number}", leavesSession);
        await Task.WhenAll(staying.Append(gone).Select(client => client.ConnectAsync(silo.Mqtt)));

        // The first request of a client takes longer than the next ones.
        using (var answer = await _http.GetAsync(new Uri(silo.Http, "/health/ready")))
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var stopped = Cluster.StopAsync(number);
        var clients = Task.WhenAll(staying.Append(gone).Select(async client =>
        {
            await client.EndAsync(Patience);
            if (client != gone)
            {
                await client.ComeBackAsync(elsewhere);
            }
        }));
        var notReadyAt = await NotReadyAsync(silo);
        await clients;
        await stopped;
        Say(silo.Output.Text.Split('\n').First(static line => line.Contains("connections closed in", StringComparison.Ordinal)));
        Assert.DoesNotContain("declared dead", silo.Output.Text, StringComparison.Ordinal);

        var ends = staying.Append(gone).Select(static client => client.EndedAt).Order().ToList();
        Assert.True(notReadyAt < ends[0], "a connection was closed before readiness had failed");
        Assert.InRange(Stopwatch.GetElapsedTime(ends[0], ends[^1]).TotalSeconds, 0.6 * Bystanders / Rate, 20);
        if (version == ProtocolVersion.Mqtt5)
        {
            Assert.All(staying, static client =>
            {
                Assert.Equal(ReasonCode.UseAnotherServer, client.Goodbye!.Reason);
                Assert.Equal(Elsewhere, client.Goodbye.Properties.Text(Prop.ServerReference));
            });
        }

        Assert.Equal(leavesSession ? 1 : 0, int.Parse(NotMoved().Match(silo.Output.Text).Groups[1].Value, CultureInfo.InvariantCulture));
        await Cluster.StartAsync(number);
        await Task.WhenAll(staying.Select(static client => client.LeaveAsync()));
    }

    private static Bystander NewBystander(ProtocolVersion version, string name, bool isDurable) => new(
        (isDurable ? ConnectOptions.Durable(version, name) : new ConnectOptions(version) { ClientId = name }) with
        {
            Will = new Will($"wills/{name}", name, qos: 1),
        });

    /// <summary>Returns when <c>/health/ready</c> refuses, and says why.</summary>
    private async Task<long> NotReadyAsync(BrokerProcess silo)
    {
        await Eventually.TrueAsync(
            async () =>
            {
                using var answer = await _http.GetAsync(new Uri(silo.Http, "/health/ready"));
                var text = await answer.Content.ReadAsStringAsync();
                return answer.StatusCode == HttpStatusCode.ServiceUnavailable && text.Contains("stopping", StringComparison.Ordinal);
            },
            Patience,
            () => $"readiness fails\n{silo.Output.Text}");
        return Stopwatch.GetTimestamp();
    }

    [GeneratedRegex("not moved to other silos: ([0-9]+)")]
    private static partial Regex NotMoved();
}
