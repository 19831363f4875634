using System.Net;
using System.Text.Json;

namespace Broker.Tests.T06_Queue;

/// <summary>Promise 5: what is dropped for good is counted, and who lost what and why can be asked for.</summary>
public sealed class LossLedgerTests() : OwnBrokerTest(("Session:MaxQueued", "5"))
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private Uri Http => ((BrokerProcess)Server).Http;

    [OwnFact]
    public async Task Message_that_a_full_queue_drops_is_found_by_client_topic_and_reason()
    {
        await LeaveSessionAsync();
        await PublishAsync(8, "");

        var drop = await SingleDropAsync($"client={Id()}&topic={Topic("%23")}&reason=queuefull");

        Assert.Equal(Id(), drop.GetProperty("client").GetString());
        Assert.Equal(Topic(), drop.GetProperty("topic").GetString());
        Assert.Equal("QueueFull", drop.GetProperty("reason").GetString());
        Assert.Equal(3, drop.GetProperty("count").GetInt64());
        Assert.Matches("^[0-9a-f]{32}$", drop.GetProperty("lastMessage").GetString());
        Assert.InRange(drop.GetProperty("last").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(1));
    }

    [OwnFact]
    public async Task Topic_of_a_dropped_message_is_known_when_only_the_store_had_the_message()
    {
        await LeaveSessionAsync();
        await PublishAsync(5, "");
        await Server.RestartAsync();

        await PublishAsync(3, "");

        await Eventually.TrueAsync(
            async () => await CountAsync($"client={Id()}&topic={Topic()}&reason=QueueFull") == 3, Limit, () => "three drops with topic");
    }

    [OwnFact]
    public async Task Messages_of_a_session_that_its_client_gives_up_are_lost_by_topic()
    {
        var options = await LeaveSessionAsync();
        await PublishAsync(4, "");
        await Server.RestartAsync();

        await ConnectAsync(options with { Clean = true });

        Assert.Equal(4, await CountAsync($"client={Id()}&topic={Topic()}&reason=SessionEnded"));
    }

    [OwnFact]
    public async Task Refused_publish_is_its_publishers_loss()
    {
        var publisher = await ConnectAsync(new ConnectOptions { ClientId = Id("writer") });
        await publisher.SendPublishAsync("$SYS/mine", "refused", 1, id: 7);
        Assert.Equal(ReasonCode.NotAuthorized, (await publisher.ExpectAsync(PacketType.PubAck, 7)).Reason);

        Assert.Equal(1, await CountAsync($"client={Id("writer")}&topic=$SYS/mine&reason=NotAuthorized"));
    }

    [OwnFact]
    public async Task Question_that_makes_no_sense_is_refused_with_a_reason()
    {
        using var admin = new AdminClient(Http);
        foreach (var question in (string[])["reason=Bad", "limit=0", "limit=1001", "topic=a/%23/b"])
        {
            Assert.Equal(HttpStatusCode.BadRequest, await admin.StatusAsync("/api/v1/drops?" + question));
        }
    }

    private async Task<ConnectOptions> LeaveSessionAsync()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 2);
        await client.DisconnectAsync();
        return options;
    }

    private async Task PublishAsync(int count, string payload)
    {
        var publisher = await ConnectAsync();
        for (var i = 0; i < count; i++)
        {
            await publisher.PublishAsync(Topic(), $"{payload}{i}", 1);
        }
    }

    private async Task<JsonElement> SingleDropAsync(string question)
    {
        using var admin = new AdminClient(Http);
        return Assert.Single((await admin.GetAsync("/api/v1/drops?" + question)).GetProperty("drops").EnumerateArray());
    }

    private async Task<long> CountAsync(string question)
    {
        using var admin = new AdminClient(Http);
        var answer = await admin.GetAsync("/api/v1/drops?" + question);
        return answer.GetProperty("drops").EnumerateArray().Sum(static drop => drop.GetProperty("count").GetInt64());
    }
}
