namespace Broker.Tests.T13_Interop;

/// <summary>mosquitto_pub and mosquitto_sub: what most people try first.</summary>
public sealed class MosquittoClientsTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    private readonly List<string> _markers = [];

    [ProgramTheory("mosquitto_sub", "mosquitto-clients")]
    [InlineData("mqttv31", 0)]
    [InlineData("mqttv31", 2)]
    [InlineData("mqttv311", 0)]
    [InlineData("mqttv311", 1)]
    [InlineData("mqttv311", 2)]
    [InlineData("mqttv5", 0)]
    [InlineData("mqttv5", 1)]
    [InlineData("mqttv5", 2)]
    public async Task Messages_published_arrive_in_order_with_their_QoS(string version, int qos)
    {
        const int Count = 200;
        await using var subscriber = Subscribe(version, "-t", Topic(), "-q", $"{qos}", "-F", "%q %p");
        await ReadyAsync(version, Topic(), subscriber);

        var lines = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await File.WriteAllLinesAsync(lines, Enumerable.Range(0, Count).Select(number => $"{number}"));
        try
        {
            await ExternalProgram.RunAsync(
                "/bin/sh", "-c", $"mosquitto_pub -h 127.0.0.1 -p {Broker.Port} -V {version} -t '{Topic()}' -q {qos} -l < {lines}");
        }
        finally
        {
            File.Delete(lines);
        }

        await subscriber.LinesAsync(Count + 1);
        var received = subscriber.Output.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            Enumerable.Range(0, Count).Select(number => $"{qos} {number}"), received.Where(line => !line.EndsWith(" ready", StringComparison.Ordinal)));
    }

    [ProgramTheory("mosquitto_sub", "mosquitto-clients")]
    [InlineData("mqttv31")]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task Retained_message_is_there_for_a_late_subscriber(string version)
    {
        await PublishAsync(version, "-t", Topic(), "-m", "kept", "-r", "-q", "1");

        var received = await ExternalProgram.RunAsync("mosquitto_sub", Arguments(version, "-t", Topic(), "-q", "1", "-C", "1", "-F", "%r %q %p"));

        Assert.Equal("1 1 kept", received.Trim());
        await PublishAsync(version, "-t", Topic(), "-n", "-r", "-q", "1");
    }

    [ProgramTheory("mosquitto_sub", "mosquitto-clients")]
    [InlineData("mqttv31")]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task Will_of_a_killed_client_is_published(string version)
    {
        var watcher = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic("will"), 1);
        await using var client = Subscribe(
            version, "-t", Topic("alive"), "--will-topic", Topic("will"), "--will-payload", "gone", "--will-qos", "1");
        await ReadyAsync(version, Topic("alive"), client);

        await client.KillAsync();

        Assert.Equal(1, (await watcher.ExpectPublishAsync(Topic("will"), "gone")).Qos);
    }

    [ProgramTheory("mosquitto_sub", "mosquitto-clients")]
    [InlineData("mqttv311", "-c")]
    [InlineData("mqttv5", "-c -x 600")]
    public async Task Persistent_session_keeps_messages_while_the_client_is_away(string version, string persistence)
    {
        string[] session = [.. persistence.Split(' '), "-i", Id(), "-t", Topic(), "-q", "2"];
        await ExternalProgram.RunAsync("mosquitto_sub", Arguments(version, [.. session, "-E"]));
        await PublishAsync(version, "-t", Topic(), "-m", "first", "-q", "1");
        await PublishAsync(version, "-t", Topic(), "-m", "second", "-q", "2");

        var received = await ExternalProgram.RunAsync("mosquitto_sub", Arguments(version, [.. session, "-C", "2", "-F", "%q %p"]));

        Assert.Equal(["1 first", "2 second"], received.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    public override async Task DisposeAsync()
    {
        var client = await ConnectAsync();
        foreach (var topic in _markers)
        {
            await client.PublishAsync(topic, "", 1, retain: true);
        }

        await base.DisposeAsync();
    }

    private string[] Arguments(string version, params string[] rest) =>
        ["-h", "127.0.0.1", "-p", $"{Broker.Port}", "-V", version, .. rest];

    private ExternalProgram Subscribe(string version, params string[] rest) =>
        ExternalProgram.Start("mosquitto_sub", Arguments(version, rest));

    private Task<string> PublishAsync(string version, params string[] rest) =>
        ExternalProgram.RunAsync("mosquitto_pub", Arguments(version, rest));

    /// <summary>The subscriber prints a retained marker as soon as its subscription stands.</summary>
    private async Task ReadyAsync(string version, string topic, ExternalProgram subscriber)
    {
        await PublishAsync(version, "-t", topic, "-m", "ready", "-q", "1", "-r");
        await subscriber.LinesAsync(1);
        _markers.Add(topic);
    }
}
