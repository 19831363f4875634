namespace Broker.Tests.T02_Subscribe;

/// <summary>Topics that the broker renames, and subscriptions that it makes by itself.</summary>
public sealed class TopicRuleTests() : OwnBrokerTest(
    ("Topics:Rewrite", "all x/# ^x/y/(.+)$ z/y/$1; all x/# ^x/(.+)$ wrong/$1; publish old/+ ^old/(.*)$ new/$1; all bad/# ^bad/(.*)$ $1/#"),
    ("Topics:AutoSubscribe", "inbox/${clientid}=1,user/${username}=0,all=0"))
{
    [OwnTheory, BothVersions]
    public async Task Rules_rename_what_is_published_and_subscribed_to(ProtocolVersion version)
    {
        var plain = await SubscriberAsync(version, "z/y/+", 1);
        var renamed = await SubscriberAsync(version, "x/y/+", 1);
        var untouched = await SubscriberAsync(version, "old/1", 1);
        var published = await SubscriberAsync(version, "new/1", 1);
        var publisher = await ConnectAsync(version);

        await publisher.PublishAsync("x/y/1", "a", 1);
        await plain.ExpectPublishAsync("z/y/1", "a");
        await renamed.ExpectPublishAsync("z/y/1", "a");

        await publisher.PublishAsync("old/1", "b", 1);
        await published.ExpectPublishAsync("new/1", "b");
        await untouched.PingAsync();
        await untouched.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));

        await renamed.UnsubscribeAsync("x/y/+");
        await publisher.PublishAsync("z/y/2", "c", 1);
        await renamed.PingAsync();
        await renamed.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));
    }

    [OwnFact]
    public async Task Rule_that_makes_no_valid_topic_changes_nothing()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, "bad/1");
        await using var watcher = await ScriptedClient.ConnectAsync(Broker);
        await watcher.SubscribeAsync("#");
        var publisher = await ConnectAsync();

        await publisher.PublishAsync("bad/1", "kept", 1);

        await watcher.ExpectPublishAsync("bad/1", "kept");
        Assert.False(subscriber.IsClosed);
    }

    [OwnTheory, BothVersions]
    public async Task Every_client_is_subscribed_at_connect_and_stays_so_across_kill_9(ProtocolVersion version)
    {
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync("inbox/me", "retained", 1, retain: true);
        var options = ConnectOptions.Durable(version, "me");
        var client = await ConnectAsync(options);
        await client.ExpectPublishAsync("inbox/me", "retained");
        await publisher.PublishAsync("all", "for all");
        await client.ExpectPublishAsync("all", "for all");
        await client.DisconnectAsync();

        await publisher.PublishAsync("inbox/me", "while away", 1);
        await Server.RestartAsync();
        client = await ConnectAsync(options with { AcknowledgesByItself = true });

        await client.PickAsync(static packet => packet.Type == PacketType.Publish && packet.Text == "while away", "the message");
    }

    [OwnFact]
    public async Task Client_whose_id_is_a_wildcard_is_not_subscribed_to_what_is_others()
    {
        var client = await ConnectAsync(new ConnectOptions { ClientId = "#" });
        var publisher = await ConnectAsync();

        await publisher.PublishAsync("inbox/other", "private", 1);

        await client.PingAsync();
        await client.ExpectNothingAsync(TimeSpan.FromMilliseconds(50));
    }
}
