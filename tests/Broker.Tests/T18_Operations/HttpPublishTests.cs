using System.Net;
using System.Text;

namespace Broker.Tests.T18_Operations;

/// <summary>Messages that come by HTTP.</summary>
public sealed class HttpPublishTests() : OwnBrokerTest(("Session:MaxQueued", "100"))
{
    private const string Path = "/api/v1/publish";

    private Uri Http => ((BrokerProcess)Server).Http;

    [OwnFact]
    public async Task Message_reaches_its_subscribers_with_all_that_it_carries()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, "t/#", 2);
        subscriber.AcknowledgesByItself = true;
        using var http = new AdminClient(Http);
        var answer = await http.PostAsync(Path, """
            {"topic": "t/1", "payload": "aGVsbG8=", "encoding": "base64", "qos": 1, "properties": {
              "payloadFormatIndicator": 1, "messageExpiryInterval": 60, "contentType": "text/plain", "responseTopic": "r",
              "correlationData": "AQI=", "userProperties": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}}
            """);

        Assert.Equal(0, answer.GetProperty("code").GetInt32());
        Assert.Matches("^[0-9a-f]{32}$", answer.GetProperty("id").GetString());
        var message = await subscriber.ExpectPublishAsync("t/1", "hello");
        Assert.Equal(1, message.Qos);
        Assert.Equal("text/plain", message.Properties.Text(Prop.ContentType));
        Assert.Equal("r", message.Properties.Text(Prop.ResponseTopic));
        Assert.Equal([1, 2], message.Properties.Bytes(Prop.CorrelationData));
        Assert.Equal([("a", "1"), ("a", "2")], message.Properties.User);

        Assert.Equal(16, (await http.PostAsync(Path, """{"topic": "nobody", "qos": 1}""")).GetProperty("code").GetInt32());
        await http.PostAsync(Path, """{"topic": "t/2", "payload": "zero"}""");
        await subscriber.ExpectPublishAsync("t/2", "zero");
    }

    [OwnFact]
    public async Task List_is_published_in_order_and_answered_one_by_one()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, "t", 1);
        subscriber.AcknowledgesByItself = true;
        using var http = new AdminClient(Http);

        var answer = await http.PostAsync(Path, """
            [{"topic": "t", "payload": "1", "qos": 1}, {"topic": "$SYS/x", "payload": "no"}, {"topic": "a/#"}, {"topic": "t", "payload": "2", "qos": 2}]
            """);

        Assert.Equal([0, 135, 153, 0], answer.EnumerateArray().Select(static a => a.GetProperty("code").GetInt32()));
        await subscriber.ExpectPublishAsync("t", "1");
        await subscriber.ExpectPublishAsync("t", "2");
    }

    [OwnFact]
    public async Task Answer_means_that_the_message_survives_kill_9()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "away");
        var subscriber = await ConnectAsync(options);
        await subscriber.SubscribeAsync("t", 1);
        await subscriber.DisconnectAsync();
        using var http = new AdminClient(Http);
        await http.PostAsync(Path, """{"topic": "t", "payload": "kept", "qos": 1}""");
        await http.PostAsync(Path, """{"topic": "r", "payload": "retained", "qos": 1, "retain": true}""");

        await Server.RestartAsync();

        var back = await ConnectAsync(options);
        await back.ExpectPublishAsync("t", "kept");
        var late = await SubscriberAsync(ProtocolVersion.Mqtt5, "r");
        await late.ExpectPublishAsync("r", "retained");
    }

    [OwnFact]
    public async Task Message_can_be_delayed_and_is_found_while_it_waits()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, "t", 1);
        subscriber.AcknowledgesByItself = true;
        using var http = new AdminClient(Http);

        var answer = await http.PostAsync(Path, """{"topic": "$delayed/3/t", "payload": "later", "qos": 1, "clientId": "clock"}""");
        var place = (await http.GetAsync($"/api/v1/messages/{answer.GetProperty("id").GetString()}")).GetProperty("places")[0];

        Assert.Equal(0, answer.GetProperty("code").GetInt32());
        Assert.Equal(("clock", "delayed"), (place.GetProperty("client").GetString(), place.GetProperty("state").GetString()));
        await subscriber.PickAsync(static packet => packet is { Type: PacketType.Publish, Topic: "t", Text: "later" }, "the message", TimeSpan.FromSeconds(20));
        Assert.Equal(135, (await http.PostAsync(Path, """{"topic": "$delayed/3/$SYS/x"}""", HttpStatusCode.Forbidden)).GetProperty("code").GetInt32());
    }

    [OwnFact]
    public async Task What_makes_no_sense_is_refused()
    {
        using var http = new AdminClient(Http);
        foreach (var body in (string[])["{", "[1]", "{}", """{"topic": ""}""", """{"topic": "t", "qos": 3}""", """{"topic": "t", "color": 1}""",
            """{"topic": "t", "payload": "?", "encoding": "base64"}""", """{"topic": "t", "properties": {"responseTopic": "+"}}""",
            """{"topic": null}""", """{"topic": "$delayed/t"}""", """{"topic": "t", "payload": null}""", """{"topic": "t", "properties": {"userProperties": [null]}}""",
            """[{"topic": "t"}, null]""", """[{"topic": "t"}, {"topic": "t", "properties": {"userProperties": [{"name": "a"}]}}]"""])
        {
            Assert.True((await http.PostAsync(Path, body, HttpStatusCode.BadRequest)).TryGetProperty("error", out _), body);
        }

        await http.PostAsync(Path, """{"topic": "$SYS/x"}""", HttpStatusCode.Forbidden);
        using var raw = new HttpClient { BaseAddress = Http };
        using var form = new StringContent("""{"topic": "t"}""", Encoding.UTF8, "text/plain");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await raw.PostAsync(new Uri(Path, UriKind.Relative), form)).StatusCode);
    }
}
