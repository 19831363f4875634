namespace Broker.Cluster.Tests.Support;

/// <summary>A message with every property that a PUBLISH of a client may have.</summary>
internal static class RichMessage
{
    private static readonly (string, string)[] Users = [("z", "1"), ("a", "2"), ("z", "3")];

    public static PublishOptions Of(string topic, string text) => new(topic, text) { Properties = Properties() };

    public static Will Will(string topic, string text) => new(topic, text, 2) { Properties = Properties() };

    /// <summary>Fails unless everything is there, user properties in their order, with what is left of the expiry.</summary>
    public static void Check(ReceivedPacket message)
    {
        var properties = message.Properties;
        Assert.Equal(1u, properties.Number(Prop.PayloadFormatIndicator));
        Assert.InRange(properties.Number(Prop.MessageExpiryInterval) ?? 0, 480u, 600u);
        Assert.Equal("text/plain", properties.Text(Prop.ContentType));
        Assert.Equal("answer/here", properties.Text(Prop.ResponseTopic));
        Assert.Equal([0, 1, 255], properties.Bytes(Prop.CorrelationData));
        Assert.Equal(Users, properties.User);
    }

    private static PropertyCollection Properties() => new()
    {
        { Prop.UserProperty, "z", "1" }, { Prop.PayloadFormatIndicator, 1 }, { Prop.MessageExpiryInterval, 600 },
        { Prop.ContentType, "text/plain" }, { Prop.UserProperty, "a", "2" }, { Prop.ResponseTopic, "answer/here" },
        { Prop.CorrelationData, [0, 1, 255] }, { Prop.UserProperty, "z", "3" },
    };
}
