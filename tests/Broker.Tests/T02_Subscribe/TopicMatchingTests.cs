namespace Broker.Tests.T02_Subscribe;

/// <summary>Section 4.7 over the wire; the exhaustive tests of matching stand beside the index.</summary>
public sealed class TopicMatchingTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/b/c", false)]
    [InlineData("a/b", "A/b", false)]
    [InlineData("a/+", "a/b", true)]
    [InlineData("a/+", "a/", true)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/+", "a/b/c", false)]
    [InlineData("a/+/c", "a/b/c", true)]
    [InlineData("a/+/c", "a//c", true)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/b/c/d", true)]
    [InlineData("a/#", "ab", false)]
    [InlineData("+/+", "a/b", true)]
    [InlineData("a/+/#", "a/b", true)]
    [InlineData("a/+/#", "a", false)]
    [InlineData("a//b", "a//b", true)]
    [InlineData("a//b", "a/b", false)]
    [InlineData("a/ b", "a/ b", true)]
    [InlineData("ü/日本/+", "ü/日本/😀", true)]
    [InlineData("a/$x/+", "a/$x/b", true)]
    public async Task Filter_matches_as_section_4_7_says_MQTT_3_3_2_3(string filter, string topic, bool matches)
    {
        var client = await SubscriberAsync(ProtocolVersion.Mqtt311, Topic(filter));
        await client.SubscribeAsync(Topic("marker"));

        await client.SendPublishAsync(Topic(topic), "message");
        await client.SendPublishAsync(Topic("marker"), "end");

        if (matches)
        {
            await client.ExpectPublishAsync(Topic(topic), "message");
        }

        await client.ExpectPublishAsync(Topic("marker"), "end");
    }

    [Theory]
    [InlineData("/a", "/+")]
    [InlineData("/a", "+/+")]
    [InlineData("/", "/")]
    public async Task Empty_levels_are_levels_of_their_own_MQTT_4_7_3_4(string topic, string filter)
    {
        // These names stand at the root, so the shared broker may carry others' messages on them.
        var client = await SubscriberAsync(ProtocolVersion.Mqtt5, filter);
        var payload = Topic();

        await client.SendPublishAsync(topic, payload);

        await client.PickAsync(packet => packet.Topic == topic && packet.Text == payload, "its own message");
    }

    [Fact]
    public async Task Wildcard_at_the_root_does_not_match_dollar_topics_MQTT_4_7_2_1()
    {
        var wild = await SubscriberAsync(ProtocolVersion.Mqtt5, "#");
        var plus = await SubscriberAsync(ProtocolVersion.Mqtt5, "+/" + Topic("x"));
        var publisher = await ConnectAsync();

        await publisher.SendPublishAsync("$test/" + Topic("x"), "hidden");
        await publisher.SendPublishAsync(Topic("marker"), "end");
        await publisher.SendPublishAsync("open/" + Topic("x"), "end");

        var first = await wild.PickAsync(packet => packet.Topic.EndsWith(Topic("x"), StringComparison.Ordinal)
            || packet.Topic == Topic("marker"), "marker");
        Assert.Equal(Topic("marker"), first.Topic);
        await plus.ExpectPublishAsync("open/" + Topic("x"), "end");
    }

    [Theory, EveryVersion]
    public async Task Names_are_compared_as_they_are_MQTT_4_7_3_4(ProtocolVersion version)
    {
        // é as one character and as two, upper and lower case, an empty level more: all of them other names.
        var client = await SubscriberAsync(version, Topic("caf\u00E9"));

        foreach (var other in (string[])["cafe\u0301", "CAF\u00C9", "caf\u00E9/", "/caf\u00E9"])
        {
            await client.SendPublishAsync(Topic(other), "another name");
        }

        await client.SendPublishAsync(Topic("caf\u00E9"), "the name");
        await client.ExpectPublishAsync(Topic("caf\u00E9"), "the name");
    }

    [Theory, BothVersions]
    public async Task Longest_name_there_can_be_is_read_as_such_MQTT_4_7_3_3(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);

        // 65,535 bytes fill the length field; the broker takes 4,096 of them and says so.
        await client.SendPublishAsync(new string('n', 65_535), "too long");

        await client.ExpectDisconnectAsync(ReasonCode.TopicNameInvalid);
    }

    // [MQTT-4.7.3-3]
    [Fact]
    public async Task Topic_of_many_levels_and_bytes_is_carried_and_one_beyond_is_refused()
    {
        var deep = string.Join('/', Enumerable.Repeat("l", 128));
        var client = await SubscriberAsync(ProtocolVersion.Mqtt5, deep);
        await client.SendPublishAsync(deep, "deep");
        await client.ExpectPublishAsync(deep, "deep");

        var longest = new string('n', 4096);
        await client.SubscribeAsync(longest);
        await client.SendPublishAsync(longest, "long");
        await client.ExpectPublishAsync(longest, "long");

        Assert.Equal(ReasonCode.TopicFilterInvalid, (await client.SubscribeAsync(longest + "n")).Reasons[0]);
        Assert.Equal(ReasonCode.TopicFilterInvalid, (await client.SubscribeAsync(deep + "/l")).Reasons[0]);
        await client.SendPublishAsync(longest + "n", "too long");
        await client.ExpectDisconnectAsync(ReasonCode.TopicNameInvalid);
    }
}
