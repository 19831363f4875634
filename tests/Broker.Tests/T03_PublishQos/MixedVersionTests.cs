namespace Broker.Tests.T03_PublishQos;

/// <summary>Clients of 3.1.1 and of 5.0 on one topic: each gets what its version can say, QoS and expiry hold for both.</summary>
public sealed class MixedVersionTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Theory, EveryQos]
    public async Task Message_reaches_clients_of_every_version_with_the_smaller_qos(ProtocolVersion publisherVersion, int qos)
    {
        var receivers = new List<(ScriptedClient Client, int Granted)>();
        foreach (var version in Enum.GetValues<ProtocolVersion>())
        {
            for (var granted = 0; granted <= 2; granted++)
            {
                receivers.Add((await SubscriberAsync(version, Topic(), granted), granted));
            }
        }

        var publisher = await ConnectAsync(publisherVersion);
        await publisher.PublishAsync(Rich("to all", qos));

        foreach (var (client, granted) in receivers)
        {
            var message = await client.ExpectPublishAsync(Topic(), "to all");
            Assert.Equal(Math.Min(qos, granted), message.Qos);
            var has = client.Version == ProtocolVersion.Mqtt5 && publisherVersion == ProtocolVersion.Mqtt5;
            Assert.Equal(has ? "text/plain" : null, message.Properties.Text(Prop.ContentType));
            Assert.Equal(has ? [("z", "1"), ("a", "2")] : [], message.Properties.User);
        }
    }

    [Theory, BothVersions]
    public async Task Expiry_holds_for_an_absent_client_of_either_version(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic(), 1);
        await before.DisconnectAsync();
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Expiring("gone", 1));
        await publisher.PublishAsync(Expiring("there", 100));

        // The interval of the first has passed when this is over.
        await Task.Delay(TimeSpan.FromMilliseconds(1100));
        var after = await ConnectAsync(options);

        var message = await after.ExpectPublishAsync(Topic(), "there");
        if (version == ProtocolVersion.Mqtt5)
        {
            Assert.InRange(message.Properties.Number(Prop.MessageExpiryInterval) ?? 0, 90u, 99u);
        }
    }

    [Fact]
    public async Task Queued_and_retained_messages_keep_their_properties_for_a_client_that_comes_back_as_5()
    {
        var as5 = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var before = await ConnectAsync(as5);
        await before.SubscribeAsync(Topic("queued"), 2);
        await before.DisconnectAsync();
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(Rich("waits", 2) with { Topic = Topic("queued") });
        await publisher.PublishAsync(Rich("kept", 1) with { Topic = Topic("retained"), Retain = true });

        var as311 = await ConnectAsync(ConnectOptions.Durable(ProtocolVersion.Mqtt311, Id()));
        var old = await as311.ExpectPublishAsync(Topic("queued"), "waits");
        as311.Abort();
        var after = await ConnectAsync(as5);
        var again = await after.ExpectPublishAsync(Topic("queued"), "waits");
        await after.SubscribeAsync(Topic("retained"), 1);
        var kept = await after.ExpectPublishAsync(Topic("retained"), "kept");

        Assert.Equal((old.PacketId, true), (again.PacketId, again.Dup));
        Assert.All([again, kept], message => Assert.Equal([("z", "1"), ("a", "2")], message.Properties.User));
        await publisher.PublishAsync(Topic("retained"), "", 1, retain: true);
    }

    private PublishOptions Rich(string payload, int qos) => new(Topic(), payload)
    {
        Qos = qos,
        Properties = new()
        {
            { Prop.ContentType, "text/plain" }, { Prop.UserProperty, "z", "1" }, { Prop.UserProperty, "a", "2" },
        },
    };

    private PublishOptions Expiring(string payload, uint seconds) => new(Topic(), payload)
    {
        Qos = 1,
        Properties = new() { { Prop.MessageExpiryInterval, seconds } },
    };
}
