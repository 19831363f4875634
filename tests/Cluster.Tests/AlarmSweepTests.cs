namespace Broker.Cluster.Tests;

/// <summary>Alarms whose owner has died are cleared by the others.</summary>
public sealed class AlarmSweepTests(ITestOutputHelper output) : ClusterTest(output, silos: 2)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    protected override IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        ["Session:MaxQueued"] = "10",
        ["Alarms:OrphanedAfter"] = "2s",
        ["Alarms:SiloLostFor"] = "10s",
    };

    /// <summary>A session that is not durable dies with its silo, and the silo does not come back; a durable session lives on.</summary>
    [ChaosFact]
    public async Task Alarms_of_a_silo_that_does_not_come_back_are_cleared_but_for_that_of_a_queue_that_another_silo_has()
    {
        await using var slow = await ConnectAsync(new ConnectOptions { ClientId = "gone" });
        await using var durable = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt5, "stays"));
        await durable.DisconnectAsync();
        await using var publisher = await ScriptedClient.ConnectAsync(Cluster.Silos[1].Mqtt);
        for (var i = 0; i < 10; i++)
        {
            await publisher.PublishAsync("waits", $"{i}", 1);
        }

        await RaisedAsync("queue_high/gone", "queue_high/stays");
        await Cluster.KillAsync(0);
        await Eventually.TrueAsync(
            async () => (await AlarmsAsync()).Exists(static id => id.StartsWith("silo_lost/", StringComparison.Ordinal)),
            Limit,
            () => $"the silo is missed\n{Cluster.Log}");

        await RaisedAsync("queue_high/stays");
    }

    /// <summary>A client at the silo that will die, whose acknowledgements never come.</summary>
    private async Task<ScriptedClient> ConnectAsync(ConnectOptions options)
    {
        options.Properties.Add(Prop.ReceiveMaximum, 1);
        var client = await ScriptedClient.ConnectAsync(Cluster.Silos[0].Mqtt, options);
        await client.SubscribeAsync("waits", 1);
        return client;
    }

    /// <summary>The other silo shows exactly these, of those about queues and silos.</summary>
    private async Task RaisedAsync(params string[] expected)
    {
        List<string> shown = [];
        await Eventually.TrueAsync(
            async () => (shown = await AlarmsAsync()).SequenceEqual(expected),
            Limit,
            () => $"{string.Join(' ', expected)} instead of {string.Join(' ', shown)}\n{Cluster.Log}");
    }

    private async Task<List<string>> AlarmsAsync()
    {
        using var admin = new AdminClient(Cluster.Silos[1].Http);
        return (await admin.GetAsync("/api/v1/alarms")).GetProperty("raised").EnumerateArray()
            .Select(static alarm => alarm.GetProperty("id").GetString()!)
            .Where(static id => id.StartsWith("queue_high/", StringComparison.Ordinal) || id.StartsWith("silo_lost/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ToList();
    }
}
