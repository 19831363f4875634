using System.Text;
using Broker.Grains.Diagnostics;
using Broker.Grains.Hooks;
using Broker.Protocol;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Hooks;

/// <summary>What clients see of hooks that decide.</summary>
public sealed class HookTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Publish_hooks_change_a_message_one_after_the_other_by_priority(bool neverBlocks)
    {
        await using var broker = await InProcessBroker.StartAsync(services => services
            .AddHook(new PublishHook(m => PublishVerdict.Continue(Append(m, " low"))) { NeverBlocks = neverBlocks })
            .AddHook(new PublishHook(m => PublishVerdict.Continue(Append(m, " high") with { Topic = "moved" })) { Priority = 5 }));
        await using var subscriber = await ScriptedClient.ConnectAsync(broker.Mqtt);
        await subscriber.SubscribeAsync("moved", 2);
        subscriber.AcknowledgesByItself = true;
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt);

        for (var qos = 0; qos <= 2; qos++)
        {
            await publisher.PublishAsync("t", $"{qos}", qos);
            await subscriber.ExpectPublishAsync("moved", $"{qos} high low");
        }
    }

    [Fact]
    public async Task Refused_publish_reaches_nobody_and_its_publisher_is_told()
    {
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(
            new PublishHook(m => m.Topic == "bad" ? PublishVerdict.Refuse(ReasonCode.QuotaExceeded) : PublishVerdict.Continue(m))));
        await using var subscriber = await ScriptedClient.ConnectAsync(broker.Mqtt);
        await subscriber.SubscribeAsync("#");
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt);
        await using var old = await ScriptedClient.ConnectAsync(broker.Mqtt, new ConnectOptions(ProtocolVersion.Mqtt311));

        await publisher.SendPublishAsync("bad", "x", 1, id: 3);
        Assert.Equal(ReasonCode.QuotaExceeded, (await publisher.ExpectAsync(PacketType.PubAck, 3)).Reason);
        await publisher.PublishAsync("good", "y", 1);
        await subscriber.ExpectPublishAsync("good", "y");
        await old.SendPublishAsync("bad", "x", 1, id: 4);
        await old.ExpectCloseAsync();

        Assert.Equal(2, broker.Services.GetRequiredService<DropLedger>().Count(DropReason.Hook));
    }

    [Fact]
    public async Task Dropped_publish_is_acknowledged_and_counted_as_the_publishers_loss()
    {
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(new PublishHook(_ => PublishVerdict.Drop())));
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt, new ConnectOptions { ClientId = "p" });

        await publisher.PublishAsync("t", "x", 1);
        await publisher.PublishAsync("t", "x", 2);

        var drop = Assert.Single(broker.Services.GetRequiredService<DropLedger>().Find(new()).Totals);
        Assert.Equal(("p", "t", "Hook", 2L), (drop.ClientId, drop.Topic, drop.Reason, drop.Count));
    }

    [Fact]
    public async Task Publish_hook_is_asked_once_about_a_delayed_message_by_its_own_topic_and_what_it_changes_stays()
    {
        var topics = new List<string>();
        var hook = new PublishHook(message =>
        {
            topics.Add(message.Topic);
            return PublishVerdict.Continue(Append(message, " hooked") with { Topic = "moved" });
        });
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(hook));
        await using var subscriber = await ScriptedClient.ConnectAsync(broker.Mqtt);
        await subscriber.SubscribeAsync("#", 0);
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt);

        await publisher.PublishAsync("$delayed/1/t", "later", 1);
        await subscriber.PingAsync();
        await subscriber.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));
        await subscriber.ExpectPublishAsync("moved", "later hooked", TimeSpan.FromSeconds(20));
        Assert.Equal(["t"], topics);
    }

    // [MQTT-4.3.3-10]
    [Fact]
    public async Task Repeated_qos2_publish_is_not_authorized_again()
    {
        var hook = new OnceHook();
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(hook));
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt);

        await publisher.SendPublishAsync("t", "once", 2, id: 9);
        Assert.True((await publisher.ExpectAsync(PacketType.PubRec, 9)).Reason < ReasonCode.UnspecifiedError);
        await publisher.SendPublishAsync("t", "once", 2, id: 9);
        Assert.Equal(ReasonCode.Success, (await publisher.ExpectAsync(PacketType.PubRec, 9)).Reason);
        Assert.Equal(1, hook.Calls);

        // Another message is.
        await publisher.SendPublishAsync("t", "other", 2, id: 10);
        Assert.Equal(ReasonCode.NotAuthorized, (await publisher.ExpectAsync(PacketType.PubRec, 10)).Reason);
    }

    // [MQTT-4.3.3-10]
    [Fact]
    public async Task Repeated_qos2_publish_is_not_asked_about_again()
    {
        var hook = new PublishHook(PublishVerdict.Continue);
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(hook));
        await using var subscriber = await ScriptedClient.ConnectAsync(broker.Mqtt);
        await subscriber.SubscribeAsync("t");
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt);

        for (var time = 0; time < 2; time++)
        {
            await publisher.SendPublishAsync("t", "once", 2, id: 9);
            await publisher.ExpectAsync(PacketType.PubRec, 9);
        }

        await subscriber.ExpectPublishAsync("t", "once");
        await subscriber.PingAsync();
        await subscriber.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal(1, hook.Calls);
    }

    [Fact]
    public async Task Subscribe_hook_changes_and_refuses_filters_and_unsubscribe_finds_them()
    {
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook<MountHook>());
        await using var subscriber = await ScriptedClient.ConnectAsync(broker.Mqtt);
        var answer = await subscriber.SubscribeAsync([new Subscription("news/+", 1), new Subscription("forbidden")]);
        Assert.Equal([ReasonCode.GrantedQoS1, ReasonCode.NotAuthorized], answer.Reasons);
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt);

        await publisher.PublishAsync("own/news/1", "mine");
        await subscriber.ExpectPublishAsync("own/news/1", "mine");

        Assert.Equal([ReasonCode.Success], (await subscriber.UnsubscribeAsync("news/+")).Reasons);
        Assert.Equal([ReasonCode.NoSubscriptionExisted], (await subscriber.UnsubscribeAsync("news/+")).Reasons);
    }

    [Fact]
    public async Task Will_is_asked_about_when_its_client_connects()
    {
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(
            new PublishHook(m => m.Topic == "bad" ? PublishVerdict.Refuse() : PublishVerdict.Continue(Append(m, " changed")))));
        await using var refused = await ScriptedClient.OpenAsync(broker.Mqtt);
        await refused.SendAsync(Packets.Connect(new ConnectOptions { Will = new Will("bad", "x") }));
        Assert.Equal(ReasonCode.NotAuthorized, (await refused.ExpectAsync(PacketType.ConnAck)).Reason);

        await using var subscriber = await ScriptedClient.ConnectAsync(broker.Mqtt);
        await subscriber.SubscribeAsync("will");
        var client = await ScriptedClient.ConnectAsync(broker.Mqtt, new ConnectOptions { Will = new Will("will", "dead") });
        await client.DisposeAsync();

        await subscriber.ExpectPublishAsync("will", "dead changed");
    }

    [Theory]
    [InlineData("known", "secret", ReasonCode.Success)]
    [InlineData("known", "wrong", ReasonCode.BadUserNameOrPassword)]
    [InlineData(null, null, ReasonCode.Success)]
    public async Task Authenticate_hook_decides_before_the_users_file(string? user, string? password, ReasonCode expected)
    {
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook<AccessHook>());
        await using var client = await ScriptedClient.OpenAsync(broker.Mqtt);

        await client.SendAsync(Packets.Connect(new ConnectOptions
        {
            UserName = user, Password = password is null ? null : Encoding.UTF8.GetBytes(password),
        }));

        Assert.Equal(expected, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
    }

    [Theory]
    [InlineData("closed", ReasonCode.NotAuthorized)]
    [InlineData("open", ReasonCode.NoMatchingSubscribers)]
    [InlineData("$SYS/mine", ReasonCode.NotAuthorized)]
    [InlineData("broken/hook/denies", ReasonCode.NotAuthorized)]
    public async Task Authorize_hook_decides_before_the_rules_and_fails_closed_when_it_says_so(string topic, ReasonCode expected)
    {
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook<AccessHook>());
        await using var client = await ScriptedClient.ConnectAsync(broker.Mqtt);

        await client.SendPublishAsync(topic, "x", 1, id: 2);

        Assert.Equal(expected, (await client.ExpectAsync(PacketType.PubAck, 2)).Reason);
    }

    /// <summary>Allows one publish and denies the next ones: a right that is taken away.</summary>
    private sealed class OnceHook : IAuthorizeHook
    {
        private int _calls;

        public int Calls => Volatile.Read(ref _calls);

        public ValueTask<HookDecision> OnAuthorizeAsync(HookClient client, bool isPublish, string topic, CancellationToken cancellationToken) =>
            new(Interlocked.Increment(ref _calls) == 1 ? HookDecision.Allow : HookDecision.Deny);
    }

    private static HookMessage Append(HookMessage message, string text) =>
        message with { Payload = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(message.Payload.Span) + text) };
}
