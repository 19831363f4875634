using System.Text;
using Broker.Gateway.Embedding;
using Broker.Protocol;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;

namespace Broker.Gateway.Tests.Embedding;

/// <summary>Subscribers inside the process (docs/embedding.md).</summary>
public sealed class SubscriberTests
{
    private static readonly MqttSubscription Durable = new() { Name = "s", Filters = ["t/#"], SessionExpiry = TimeSpan.FromHours(1) };

    [Fact]
    public async Task Message_whose_handling_fails_comes_again_and_one_that_was_finished_does_not()
    {
        await using var application = await Application.StartAsync();
        var subscriber = await application.Broker.SubscribeAsync(Durable);
        await PublishAsync(application, "t/1", "t/2");

        Assert.Equal(["t/1", "t/2"], await TakeAsync(subscriber, 2));
        Assert.Equal(["t/2"], await TakeAsync(subscriber, 1));
        await subscriber.DisposeAsync();
        await PublishAsync(application, "t/3");
        await application.RestartAsync();
        await using var next = await application.Broker.SubscribeAsync(Durable);

        Assert.True(next.IsResumed);
        Assert.Equal(["t/2", "t/3"], await TakeAsync(next, 2));
    }

    [Fact]
    public async Task Subscriber_gets_what_is_retained_and_messages_of_clients_with_their_properties()
    {
        await using var application = await Application.StartAsync();
        await using var client = await ScriptedClient.ConnectAsync(application.Mqtt, new ConnectOptions { ClientId = "c" });
        await client.PublishAsync("t/kept", "old", 1, retain: true);
        await using var subscriber = await application.Broker.SubscribeAsync(new MqttSubscription { Filters = ["t/#"] });
        await client.PublishAsync(new PublishOptions("t/live", "new") { Qos = 2, Properties = new PropertyCollection { { Prop.ContentType, "text/plain" } } });

        var received = new List<ReceivedMessage>();
        await foreach (var message in subscriber.ReadAllAsync().WithCancellation(Patience()))
        {
            received.Add(message);
            if (received.Count == 2)
            {
                break;
            }
        }

        Assert.Equal([("t/kept", "old", true), ("t/live", "new", false)], received.Select(
            static m => (m.Topic, Encoding.UTF8.GetString(m.Payload.Span), m.Retain)));
        Assert.Equal(QualityOfService.AtLeastOnce, received[1].Qos);
        Assert.Equal("text/plain", received[1].Properties.ContentType);
        Assert.Equal("c", received[1].Publisher);
    }

    [Fact]
    public async Task Beyond_its_capacity_qos_0_is_dropped_and_counted_and_qos_1_waits()
    {
        await using var application = await Application.StartAsync();
        await using var subscriber = await application.Broker.SubscribeAsync(Durable with { Capacity = 3 });
        await using var client = await ScriptedClient.ConnectAsync(application.Mqtt);

        for (var i = 1; i <= 5; i++)
        {
            await client.PublishAsync($"t/q0/{i}", "x");
        }

        for (var i = 1; i <= 5; i++)
        {
            await client.PublishAsync($"t/q1/{i}", "x", 1);
        }

        Assert.Equal(["t/q0/1", "t/q0/2", "t/q0/3", "t/q1/1", "t/q1/2", "t/q1/3", "t/q1/4", "t/q1/5"], await TakeAsync(subscriber, 8));
        using var admin = new HttpClient();
        var drops = await admin.GetStringAsync(new Uri($"http://{application.Broker.HttpEndPoint}/api/v1/drops?client=%24app%2Fs"));
        Assert.Contains("t/q0/5", drops, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Second_subscriber_of_a_name_takes_the_session_and_no_client_can()
    {
        await using var application = await Application.StartAsync();
        await using var first = await application.Broker.SubscribeAsync(Durable);
        await using var second = await application.Broker.SubscribeAsync(Durable);

        var taken = await Assert.ThrowsAsync<MqttReasonException>(() => TakeAsync(first, 1));
        Assert.Equal(ReasonCode.SessionTakenOver, taken.Reason);
        await using var client = await ScriptedClient.OpenAsync(application.Mqtt);
        await client.SendAsync(Packets.Connect(new ConnectOptions { ClientId = "$app/s" }));
        Assert.Equal(ReasonCode.ClientIdentifierNotValid, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
        await PublishAsync(application, "t/1");
        Assert.Equal(["t/1"], await TakeAsync(second, 1));
    }

    [Fact]
    public async Task Qos_0_that_nobody_took_is_counted_when_the_subscriber_ends()
    {
        await using var application = await Application.StartAsync();
        await using var reader = await ScriptedClient.ConnectAsync(application.Mqtt);
        await reader.SubscribeAsync("t/#");
        var subscriber = await application.Broker.SubscribeAsync(Durable with { Name = "gone" });
        await application.Broker.PublishAsync(new MqttMessage { Topic = "t/unread" });
        await reader.ExpectPublishAsync("t/unread", "");

        await subscriber.DisposeAsync();

        using var admin = new HttpClient();
        var drops = await admin.GetStringAsync(new Uri($"http://{application.Broker.HttpEndPoint}/api/v1/drops?client=%24app%2Fgone"));
        Assert.Contains("t/unread", drops, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Loop_ends_when_the_application_stops()
    {
        await using var application = await Application.StartAsync();
        await using var subscriber = await application.Broker.SubscribeAsync(Durable);
        var loop = TakeAsync(subscriber, int.MaxValue);

        await application.Host.StopAsync();

        Assert.Empty(await loop);
    }

    [Fact]
    public async Task Filters_that_an_earlier_subscriber_had_end_unless_they_are_asked_for_again()
    {
        await using var application = await Application.StartAsync();
        await (await application.Broker.SubscribeAsync(Durable with { Filters = ["t/#", "old/#"] })).DisposeAsync();
        await using var subscriber = await application.Broker.SubscribeAsync(Durable with { Filters = ["t/#", "new/#"] });

        await PublishAsync(application, "old/1", "new/1", "t/1");

        Assert.Equal(["new/1", "t/1"], await TakeAsync(subscriber, 2));
    }

    [Fact]
    public async Task What_cannot_be_kept_is_refused()
    {
        await using var application = await Application.StartAsync();
        MqttSubscription[] wrong =
        [
            Durable with { Name = null }, Durable with { Filters = [] }, Durable with { Filters = ["a#"] },
            Durable with { MaximumQos = QualityOfService.ExactlyOnce },
        ];

        foreach (var subscription in wrong)
        {
            await Assert.ThrowsAsync<ArgumentException>(() => application.Broker.SubscribeAsync(subscription));
        }
    }

    private static async Task PublishAsync(Application application, params string[] topics)
    {
        foreach (var topic in topics)
        {
            await application.Broker.PublishAsync(
                new MqttMessage { Topic = topic, Qos = QualityOfService.AtLeastOnce }).WaitAsync(ScriptedClient.Patience);
        }
    }

    /// <summary>Topics of the next messages; the last of them is not finished.</summary>
    private static async Task<List<string>> TakeAsync(MqttSubscriber subscriber, int count)
    {
        var topics = new List<string>();
        await foreach (var message in subscriber.ReadAllAsync(Patience()))
        {
            topics.Add(message.Topic);
            if (topics.Count == count)
            {
                break;
            }
        }

        return topics;
    }

    private static CancellationToken Patience() => new CancellationTokenSource(ScriptedClient.Patience).Token;
}
