namespace Broker.Tests.T03_PublishQos;

/// <summary>Topic aliases towards the client: used as far as it allows, never for one that did not ask [MQTT-3.1.2-26].</summary>
public sealed class OutboundAliasTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Topic_that_comes_again_and_again_is_sent_as_an_alias(int qos)
    {
        var subscriber = await SubscriberAsync(2, qos);
        var publisher = await ConnectAsync();

        var seen = new List<(string Topic, uint? Alias)>();
        for (var i = 0; i < 6; i++)
        {
            await publisher.PublishAsync(Topic("kitchen"), $"{i}", qos);
            var message = await subscriber.PickAsync(p => p.Type == PacketType.Publish, "PUBLISH");
            Assert.Equal($"{i}", message.Text);
            seen.Add((message.Topic, message.Properties.Number(Prop.TopicAlias)));
        }

        Assert.Equal((Topic("kitchen"), 1u), seen[0]);
        Assert.All(seen[1..], packet => Assert.Equal(("", 1u), packet));
    }

    // [MQTT-3.3.2-11]
    [Fact]
    public async Task Aliases_never_exceed_what_the_client_allows_MQTT_3_1_2_26()
    {
        var subscriber = await SubscriberAsync(2, 0);
        var publisher = await ConnectAsync();
        var known = new Dictionary<uint, string>();

        for (var i = 0; i < 300; i++)
        {
            await publisher.SendPublishAsync(Topic($"room {i % 7}"), $"{i % 7}");
            var message = await subscriber.ExpectAsync(PacketType.Publish);
            var alias = message.Properties.Number(Prop.TopicAlias);
            if (alias is { } number)
            {
                Assert.InRange(number, 1u, 2u);
                known[number] = message.Topic.Length > 0 ? message.Topic : known[number];
                Assert.Equal(Topic($"room {message.Text}"), known[number]);
            }
            else
            {
                Assert.Equal(Topic($"room {message.Text}"), message.Topic);
            }
        }

        Assert.Equal(2, known.Count);
    }

    [Fact]
    public async Task Client_without_topic_alias_maximum_gets_none_MQTT_3_1_2_27()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic("#"));
        var publisher = await ConnectAsync();

        for (var i = 0; i < 5; i++)
        {
            await publisher.SendPublishAsync(Topic("kitchen"), $"{i}");
            Assert.False((await subscriber.ExpectPublishAsync(Topic("kitchen"), $"{i}")).Properties.Has(Prop.TopicAlias));
        }
    }

    // [MQTT-3.3.2-7]
    [Fact]
    public async Task An_alias_belongs_to_one_connection_and_is_set_anew_on_the_next()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        options.Properties.Add(Prop.TopicAliasMaximum, 5);
        var publisher = await ConnectAsync();
        var before = await ConnectAsync(options);
        await before.SubscribeAsync(Topic("#"), 1);
        for (var i = 0; i < 4; i++)
        {
            await publisher.PublishAsync(Topic("kitchen"), $"{i}", 1);
        }

        await before.ExpectPublishesAsync(4);
        before.Abort();

        // What was in flight comes again, by name: the new connection knows no alias.
        var after = await ConnectAsync(options);
        var again = await after.ExpectPublishesAsync(4);

        Assert.Equal(Topic("kitchen"), again[0].Topic);
        Assert.All(again.Skip(1), message => Assert.Equal(("", 1u), (message.Topic, message.Properties.Number(Prop.TopicAlias))));
        Assert.All(again, message => Assert.True(message.Dup));
    }

    [Fact]
    public async Task A_message_that_fits_only_without_the_property_goes_without_it()
    {
        var publisher = await ConnectAsync();
        var plain = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic("#"));
        await publisher.SendPublishAsync(Topic("kitchen"), "x");
        var size = (uint)(await plain.ExpectAsync(PacketType.Publish)).Size;
        var narrow = await ConnectAsync(new ConnectOptions
        {
            Properties = new() { { Prop.TopicAliasMaximum, 5 }, { Prop.MaximumPacketSize, size } },
        });
        await narrow.SubscribeAsync(Topic("#"));

        for (var i = 0; i < 4; i++)
        {
            await publisher.SendPublishAsync(Topic("kitchen"), "x");
            Assert.False((await narrow.ExpectPublishAsync(Topic("kitchen"), "x")).Properties.Has(Prop.TopicAlias));
        }
    }

    private async Task<ScriptedClient> SubscriberAsync(uint aliases, int qos)
    {
        var client = await ConnectAsync(new ConnectOptions
        {
            AcknowledgesByItself = true,
            Properties = new() { { Prop.TopicAliasMaximum, aliases } },
        });
        await client.SubscribeAsync(Topic("#"), qos);
        return client;
    }
}
