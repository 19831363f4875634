namespace Broker.Cluster.Tests;

/// <summary>What MQTT 5.0 says about a message and a session, on the way between silos.</summary>
public sealed class PropertyTests(ITestOutputHelper output, HealthyCluster healthy) : HealthyClusterTest(output, healthy)
{
    /// <summary>
    /// Published on one silo: live to another, through the store to a session that moves to a third, retained, and as a Will.
    /// </summary>
    [Fact]
    public async Task Every_property_survives_the_way_to_another_silo_the_store_and_a_session_move()
    {
        var durable = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "moving");
        await using (var before = await ConnectAsync(0, durable))
        {
            await before.SubscribeAsync(
                new Subscription("p/#", 2, NoLocal: true, RetainAsPublished: true), new() { { Prop.SubscriptionIdentifier, 7 } });
            await before.SubscribeAsync(new Subscription("p/+", 1), new() { { Prop.SubscriptionIdentifier, 268_435_455 } });
            await before.DisconnectAsync();
        }

        await using var live = await ConnectAsync(1, new ConnectOptions { AcknowledgesByItself = true });
        await live.SubscribeAsync(new Subscription("p/#", 2), new() { { Prop.SubscriptionIdentifier, 9 } });
        await using var old = await ConnectAsync(1, new ConnectOptions(ProtocolVersion.Mqtt311) { AcknowledgesByItself = true });
        await old.SubscribeAsync("p/#", 2);
        await using var publisher = await ConnectAsync(2, new ConnectOptions());

        await publisher.PublishAsync(RichMessage.Of("p/1", "kept") with { Qos = 2, Retain = true });
        var will = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "dying") with { Will = RichMessage.Will("p/will", "gone") };
        await using (var dying = await ConnectAsync(2, will))
        {
            dying.Abort();
        }

        var toLive = await TakeAsync(live, "kept");
        RichMessage.Check(toLive);
        Assert.Equal((2, false), (toLive.Qos, toLive.Retain));
        Assert.Equal([9u], toLive.Properties.All<uint>(Prop.SubscriptionIdentifier));
        RichMessage.Check(await TakeAsync(live, "gone"));
        Assert.Empty((await TakeAsync(old, "kept")).Properties);

        // Its session moves to the silo that accepted the publish; No Local, identifiers and RETAIN as published go along.
        await using var after = await ConnectAsync(2, durable with { AcknowledgesByItself = true });
        Assert.True(after.ConnAck.SessionPresent);
        var queued = await TakeAsync(after, "kept");
        RichMessage.Check(queued);
        Assert.Equal((2, true), (queued.Qos, queued.Retain));
        Assert.Equal([7u, 268_435_455u], queued.Properties.All<uint>(Prop.SubscriptionIdentifier).Order());
        RichMessage.Check(await TakeAsync(after, "gone"));
        await after.PublishAsync("p/own/deep", "own", 1);
        await publisher.PublishAsync("p/1", "marker", 1);
        await TakeAsync(after, "marker", but: "own");

        // Retained on every silo, with what is left of the expiry.
        await using var late = await ConnectAsync(0, new ConnectOptions());
        await late.SubscribeAsync(new Subscription("p/1", 1), new() { { Prop.SubscriptionIdentifier, 3 } });
        var retained = await TakeAsync(late, "kept");
        RichMessage.Check(retained);
        Assert.Equal((1, true), (retained.Qos, retained.Retain));
        Assert.Equal([3u], retained.Properties.All<uint>(Prop.SubscriptionIdentifier));
    }

    [Fact]
    public async Task Message_that_expires_on_its_way_through_store_and_move_is_not_delivered()
    {
        var durable = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "absent");
        await using (var before = await ConnectAsync(0, durable))
        {
            await before.SubscribeAsync("e/#", 1);
            await before.DisconnectAsync();
        }

        await using var publisher = await ConnectAsync(1, new ConnectOptions());
        await publisher.PublishAsync(Expiring("short", 1));
        await publisher.PublishAsync(Expiring("long", 100));
        await Task.Delay(TimeSpan.FromMilliseconds(1100));

        await using var after = await ConnectAsync(2, durable);
        var message = await TakeAsync(after, "long", but: "short");
        Assert.InRange(message.Properties.Number(Prop.MessageExpiryInterval) ?? 0, 50u, 99u);
    }

    private Task<ScriptedClient> ConnectAsync(int silo, ConnectOptions options) =>
        ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt, options);

    private static async Task<ReceivedPacket> TakeAsync(ScriptedClient client, string text, string? but = null)
    {
        var packet = await client.PickAsync(p => p.Type == PacketType.Publish && (p.Text == text || p.Text == but), $"\"{text}\"");
        Assert.NotEqual(but, packet.Text);
        return packet;
    }

    private static PublishOptions Expiring(string text, uint seconds) => new("e/1", text)
    {
        Qos = 1,
        Properties = new() { { Prop.MessageExpiryInterval, seconds } },
    };
}
