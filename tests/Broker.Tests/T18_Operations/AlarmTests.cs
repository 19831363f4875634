using System.Net;
using System.Text.Json;

namespace Broker.Tests.T18_Operations;

/// <summary>Alarms are raised once, survive, and are cleared.</summary>
public sealed class AlarmTests() : OwnBrokerTest(("Session:MaxQueued", "10"), ("Sys:Node", "node-1"))
{
    private const string Alarm = "queue_high/sleeper";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private Uri Http => ((BrokerProcess)Server).Http;

    [OwnTheory, BothVersions]
    public async Task High_queue_raises_one_alarm_that_survives_kill_9_and_is_cleared_when_the_queue_is_empty(ProtocolVersion version)
    {
        var options = await LeaveSessionAsync(version);
        var reader = await SubscriberAsync(ProtocolVersion.Mqtt5, "$SYS/brokers/node-1/alarms/#");
        await PublishAsync(7);
        var alert = await AnnouncedAsync(reader, "alert");
        Assert.Equal(Alarm, alert.GetProperty("id").GetString());
        Assert.Equal("warning", alert.GetProperty("severity").GetString());
        Assert.Equal("node-1", alert.GetProperty("node").GetString());
        var raised = Assert.Single(await RaisedAsync());

        await Server.RestartAsync();
        Assert.Equal(raised.GetRawText(), Assert.Single(await RaisedAsync()).GetRawText());

        reader = await SubscriberAsync(ProtocolVersion.Mqtt5, "$SYS/brokers/node-1/alarms/#");
        await PublishAsync(5);
        Assert.Equal(raised.GetRawText(), Assert.Single(await RaisedAsync()).GetRawText());
        await reader.PingAsync();
        await reader.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));

        var client = await ConnectAsync(options with { AcknowledgesByItself = true });
        Assert.True((await AnnouncedAsync(reader, "clear")).TryGetProperty("cleared", out _));
        Assert.Empty(await RaisedAsync());
        using var admin = new AdminClient(Http);
        var past = Assert.Single((await admin.GetAsync("/api/v1/alarms")).GetProperty("history").EnumerateArray());
        Assert.Equal(Alarm, past.GetProperty("id").GetString());
        await client.DisconnectAsync();
    }

    [OwnFact]
    public async Task Alarm_of_a_session_goes_with_the_session()
    {
        var options = await LeaveSessionAsync(ProtocolVersion.Mqtt5);
        await PublishAsync(8);
        Assert.Single(await RaisedAsync());

        await ConnectAsync(options with { Clean = true });

        Assert.Empty(await RaisedAsync());
    }

    [OwnFact]
    public async Task Administrator_clears_an_alarm()
    {
        await LeaveSessionAsync(ProtocolVersion.Mqtt5);
        await PublishAsync(8);
        using var admin = new AdminClient(Http);

        Assert.Equal(HttpStatusCode.NotFound, await admin.DeleteAsync("/api/v1/alarms/queue_high/nobody"));
        Assert.Equal(HttpStatusCode.NoContent, await admin.DeleteAsync($"/api/v1/alarms/{Alarm}"));
        Assert.Empty(await RaisedAsync());
    }

    /// <summary>A session without rows is gone with its broker; whoever connects under its name has a new one.</summary>
    [OwnTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Alarm_of_a_session_that_died_with_the_broker_is_cleared_after_the_restart(bool isBack)
    {
        var options = new ConnectOptions { ClientId = "sleeper", Properties = new() { { Prop.ReceiveMaximum, 1 } } };
        var client = await ConnectAsync(options);
        await client.SubscribeAsync("t", 1);
        await PublishAsync(10);
        Assert.Single(await RaisedAsync());

        await Server.RestartAsync();
        if (isBack)
        {
            await ConnectAsync(options);
        }

        await Eventually.TrueAsync(async () => (await RaisedAsync()).Count == 0, Limit, () => $"the alarm is over\n{Server.Output.Text}");
    }

    private async Task<ConnectOptions> LeaveSessionAsync(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, "sleeper");
        var client = await ConnectAsync(options);
        await client.SubscribeAsync("t", 1);
        await client.DisconnectAsync();
        return options;
    }

    private async Task PublishAsync(int count)
    {
        var publisher = await ConnectAsync();
        for (var i = 0; i < count; i++)
        {
            await publisher.PublishAsync("t", $"{i}", 1);
        }
    }

    private async Task<List<JsonElement>> RaisedAsync()
    {
        using var admin = new AdminClient(Http);
        return (await admin.GetAsync("/api/v1/alarms")).GetProperty("raised").EnumerateArray()
            .Where(static alarm => alarm.GetProperty("id").GetString() == Alarm).ToList();
    }

    private static async Task<JsonElement> AnnouncedAsync(ScriptedClient reader, string what)
    {
        var topic = $"$SYS/brokers/node-1/alarms/queue_high%2Fsleeper/{what}";
        var message = await reader.PickAsync(packet => packet.Type == PacketType.Publish && packet.Topic == topic, topic, Limit);
        return JsonDocument.Parse(message.Text).RootElement;
    }
}
