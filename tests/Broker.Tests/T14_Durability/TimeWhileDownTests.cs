namespace Broker.Tests.T14_Durability;

/// <summary>Wills and expiry whose time comes while the broker is dead.</summary>
public sealed class TimeWhileDownTests() : OwnBrokerTest
{
    // [MQTT-3.1.2-7]
    [OwnTheory, BothVersions]
    public async Task Will_is_published_after_a_kill_when_the_client_does_not_return(ProtocolVersion version)
    {
        var watcher = ConnectOptions.Durable(version, Id("watcher"));
        await (await ConnectAsync(watcher)).SubscribeAsync(Topic(), 1);
        await ConnectAsync(new ConnectOptions(version) { ClientId = Id("will"), Will = new Will(Topic(), "gone", 1) });

        await Server.RestartAsync();

        // The broker gives the client time to return before it takes it for lost.
        var client = await ConnectAsync(watcher);
        await client.ExpectPublishAsync(Topic(), "gone", TimeSpan.FromSeconds(30));
    }

    [OwnFact]
    public async Task Will_is_not_published_when_the_client_returns_within_its_delay()
    {
        var watcher = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("watcher"));
        await (await ConnectAsync(watcher)).SubscribeAsync(Topic(), 1);
        var options = new ConnectOptions
        {
            ClientId = Id("will"),
            Clean = false,
            Will = new Will(Topic(), "gone", 1) { Properties = new() { { Prop.WillDelayInterval, 30 } } },
            Properties = new() { { Prop.SessionExpiryInterval, 600 } },
        };
        await ConnectAsync(options);

        await Server.RestartAsync();

        await ConnectAsync(options with { Will = null });
        var client = await ConnectAsync(watcher);
        await client.ExpectNothingAsync(TimeSpan.FromSeconds(1));
    }

    [OwnFact]
    public async Task Will_delay_goes_on_over_a_kill()
    {
        var watcher = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("watcher"));
        await (await ConnectAsync(watcher)).SubscribeAsync(Topic(), 1);
        var leaving = await ConnectAsync(new ConnectOptions
        {
            ClientId = Id("will"),
            Will = new Will(Topic(), "gone", 1) { Properties = new() { { Prop.WillDelayInterval, 3 } } },
            Properties = new() { { Prop.SessionExpiryInterval, 600 } },
        });
        leaving.Abort();

        await Server.RestartAsync();

        var client = await ConnectAsync(watcher);
        await client.ExpectPublishAsync(Topic(), "gone");
    }

    [OwnFact]
    public async Task Will_delay_is_over_with_a_session_that_ended_in_a_kill()
    {
        var watcher = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("watcher"));
        await (await ConnectAsync(watcher)).SubscribeAsync(Topic(), 1);
        await ConnectAsync(new ConnectOptions
        {
            ClientId = Id("will"),
            Will = new Will(Topic(), "gone", 1) { Properties = new() { { Prop.WillDelayInterval, 600 } } },
        });

        await Server.RestartAsync();

        var client = await ConnectAsync(watcher);
        await client.ExpectPublishAsync(Topic(), "gone", TimeSpan.FromSeconds(30));
    }

    [OwnFact]
    public async Task Session_that_expires_while_the_broker_is_down_is_gone_with_its_messages()
    {
        var shortLived = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("short"), expirySeconds: 2);
        var longLived = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id("long"), expirySeconds: 600);
        foreach (var options in (ConnectOptions[])[shortLived, longLived])
        {
            var client = await ConnectAsync(options);
            await client.SubscribeAsync(Topic(), 1);
            await client.DisconnectAsync();
        }

        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Topic(), "waits", 1);
        await Server.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(3));
        await Server.StartAsync();

        Assert.False((await ConnectAsync(shortLived)).ConnAck.SessionPresent);
        var kept = await ConnectAsync(longLived);
        Assert.True(kept.ConnAck.SessionPresent);
        await kept.ExpectPublishAsync(Topic(), "waits");
    }

    [OwnFact]
    public async Task Session_that_was_connected_at_the_kill_expires_too()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id(), expirySeconds: 1);
        await (await ConnectAsync(options)).SubscribeAsync(Topic(), 1);

        await Server.RestartAsync();

        var publisher = await ConnectAsync();
        await Eventually.TrueAsync(
            async () => (await publisher.PublishAsync(Topic(), "probe", 1))!.Reason == ReasonCode.NoMatchingSubscribers,
            ScriptedClient.Patience,
            () => "the subscription of a session of one second is still there");
        Assert.False((await ConnectAsync(options)).ConnAck.SessionPresent);
    }

    [OwnFact]
    public async Task Message_that_expires_while_the_broker_is_down_is_not_delivered()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic("#"), 1);
        await client.DisconnectAsync();
        var publisher = await ConnectAsync();
        foreach (var (payload, expiry) in ((string, uint)[])[("short", 2), ("long", 600)])
        {
            await publisher.PublishAsync(new PublishOptions(Topic(payload), payload)
            {
                Qos = 1, Retain = true, Properties = new() { { Prop.MessageExpiryInterval, expiry } },
            });
        }

        await Server.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(3));
        await Server.StartAsync();

        client = await ConnectAsync(options);
        var message = await client.ExpectPublishAsync(Topic("long"), "long");
        Assert.InRange(message.Properties.Number(Prop.MessageExpiryInterval) ?? 0, 500u, 597u);
        var late = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic("#"), 1);
        var retained = await late.ExpectPublishAsync(Topic("long"), "long");
        Assert.InRange(retained.Properties.Number(Prop.MessageExpiryInterval) ?? 0, 500u, 597u);
    }

    [OwnFact]
    public async Task Clients_stay_connected_while_the_broker_is_suspended_and_go_on_after()
    {
        var client = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic(), 1);
        Server.Suspend();
        await client.SendPublishAsync(Topic(), "into the silence", 1, id: 1);
        await client.ExpectNothingAsync(TimeSpan.FromSeconds(1));

        Server.Continue();

        await client.PickAsync(PacketType.PubAck, 1);
        await client.PickAsync(packet => packet.Text == "into the silence", "its own message");
    }
}
