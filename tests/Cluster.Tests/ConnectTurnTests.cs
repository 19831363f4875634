namespace Broker.Cluster.Tests;

/// <summary>More clients connect at a time than the store bears: those that have no turn in time are told so.</summary>
public sealed class ConnectTurnTests(ITestOutputHelper output) : ClusterTest(output, silos: 1)
{
    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        ["Limits:MaxConnecting"] = "1",

        // Less than a turn is held: whoever is not the first is told so before the turn goes on to it.
        ["Limits:ConnectTimeout"] = "500ms",
    };

    [Fact]
    public async Task Client_that_has_no_turn_in_time_is_told_Server_busy_0x89_and_comes_back_when_there_is_room()
    {
        var versions = new[] { ProtocolVersion.Mqtt5, ProtocolVersion.Mqtt5, ProtocolVersion.Mqtt311 };
        await Cluster.Server.FreezeAsync(frozen: true);
        List<ReceivedPacket> answers;
        try
        {
            // Whichever is first waits for the database, for three seconds at most.
            answers = [.. await Task.WhenAll(versions.Select(ConnectAsync))];
        }
        finally
        {
            await Cluster.Server.FreezeAsync(frozen: false);
        }

        // 3.1.1 has one return code for both.
        Assert.All(answers[..2], static a => Assert.Contains(a.Reason, new[] { ReasonCode.ServerBusy, ReasonCode.ServerUnavailable }));
        Assert.Contains(answers[..2], static a => a.Reason == ReasonCode.ServerBusy);
        Assert.Equal(3, (int)answers[2].Reason);
        using (var http = new HttpClient())
        {
            Assert.Matches(@"broker_connects_busy_total\S* [1-3]\n", await http.GetStringAsync(new Uri(Cluster.Silos[0].Http, "/metrics")));
        }

        await Cluster.ReadyAsync(TimeSpan.FromSeconds(30), 0);
        for (var number = 0; number < versions.Length; number++)
        {
            Assert.Equal(ReasonCode.Success, (await ConnectAsync(versions[number], number)).Reason);
        }
    }

    private async Task<ReceivedPacket> ConnectAsync(ProtocolVersion version, int number)
    {
        await using var client = await ScriptedClient.OpenAsync(Cluster.Silos[0].Mqtt, ConnectOptions.Durable(version, $"c{number}"));
        await client.SendAsync(Packets.Connect(client.Options));
        return await client.ExpectAsync(PacketType.ConnAck, TimeSpan.FromSeconds(30));
    }
}
