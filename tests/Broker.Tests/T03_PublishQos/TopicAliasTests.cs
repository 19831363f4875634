namespace Broker.Tests.T03_PublishQos;

public sealed class TopicAliasTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Fact]
    public async Task Alias_stands_for_the_topic_it_was_set_to_and_can_be_set_anew()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic("#"));
        var publisher = await ConnectAsync();

        await SendAsync(publisher, Topic("a"), 1, "sets a");
        await SendAsync(publisher, "", 1, "means a");
        await SendAsync(publisher, Topic("b"), 1, "sets b");
        await SendAsync(publisher, "", 1, "means b");
        await SendAsync(publisher, Topic("c"), 10, "sets another");
        await SendAsync(publisher, "", 1, "still b");

        await subscriber.ExpectPublishAsync(Topic("a"), "sets a");
        await subscriber.ExpectPublishAsync(Topic("a"), "means a");
        await subscriber.ExpectPublishAsync(Topic("b"), "sets b");
        await subscriber.ExpectPublishAsync(Topic("b"), "means b");
        await subscriber.ExpectPublishAsync(Topic("c"), "sets another");
        var last = await subscriber.ExpectPublishAsync(Topic("b"), "still b");
        Assert.False(last.Properties.Has(Prop.TopicAlias), "an alias belongs to one connection");
    }

    [Fact]
    public async Task Every_alias_up_to_the_maximum_is_accepted_MQTT_3_3_2_12()
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic("#"));
        var publisher = await ConnectAsync();
        var maximum = publisher.ConnAck.Properties.Number(Prop.TopicAliasMaximum) ?? 0;

        for (var alias = 1u; alias <= maximum; alias++)
        {
            await SendAsync(publisher, Topic($"{alias}"), alias, "sets");
            await subscriber.ExpectPublishAsync(Topic($"{alias}"), "sets");
        }

        for (var alias = maximum; alias >= 1; alias--)
        {
            await SendAsync(publisher, "", alias, "means");
            await subscriber.ExpectPublishAsync(Topic($"{alias}"), "means");
        }

        Assert.Equal(32u, maximum);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(33u)]
    public async Task Alias_out_of_range_is_refused_with_0x94_MQTT_3_3_2_9(uint alias)
    {
        var client = await ConnectAsync();

        await SendAsync(client, Topic(), alias, "refused");

        await client.ExpectDisconnectAsync(ReasonCode.TopicAliasInvalid);
    }

    // [MQTT-3.3.2-7]
    [Fact]
    public async Task Alias_never_set_on_this_connection_is_a_protocol_error()
    {
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, Id());
        var before = await ConnectAsync(options);
        await SendAsync(before, Topic(), 1, "sets it");
        await before.PingAsync();

        var after = await ConnectAsync(options);
        await SendAsync(after, "", 1, "means nothing here");

        await after.ExpectDisconnectAsync(ReasonCode.ProtocolError);
    }

    private static async Task SendAsync(ScriptedClient client, string topic, uint alias, string payload) =>
        await client.SendPublishAsync(new PublishOptions(topic, payload) { Properties = new() { { Prop.TopicAlias, alias } } });
}
