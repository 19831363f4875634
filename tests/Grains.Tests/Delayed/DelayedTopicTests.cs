using System.Text;
using Broker.Grains.Delayed;
using Xunit;

namespace Broker.Grains.Tests.Delayed;

/// <summary>The form <c>$delayed/SECONDS/TOPIC</c>.</summary>
public sealed class DelayedTopicTests
{
    [Theory]
    [InlineData("$delayed/0/t", 0, "t")]
    [InlineData("$delayed/15/x/y", 15, "x/y")]
    [InlineData("$delayed/0000015/x", 15, "x")]
    [InlineData("$delayed/4294967//", 4_294_967, "/")]
    [InlineData("$delayed/1/$SYS/x", 1, "$SYS/x")]
    [InlineData("$delayed/1/$delayedly/x", 1, "$delayedly/x")]
    public void Topic_is_taken_apart(string topic, uint seconds, string target)
    {
        Assert.True(DelayedTopic.TryParse(Encoding.UTF8.GetBytes(topic), out var found, out var rest));
        Assert.Equal((seconds, target), (found, Encoding.UTF8.GetString(rest)));
    }

    [Theory]
    [InlineData("$delayed")]
    [InlineData("$delayed/")]
    [InlineData("$delayed//t")]
    [InlineData("$delayed/5")]
    [InlineData("$delayed/5/")]
    [InlineData("$delayed/x/t")]
    [InlineData("$delayed/-1/t")]
    [InlineData("$delayed/+1/t")]
    [InlineData("$delayed/1.5/t")]
    [InlineData("$delayed/ 1/t")]
    [InlineData("$delayed/4294968/t")]
    [InlineData("$delayed/99999999999999999999/t")]
    [InlineData("$delayed/5/$delayed/5/t")]
    [InlineData("$delayed/5/$delayed")]
    public void What_is_no_delay_is_told_from_another_topic(string topic)
    {
        Assert.True(DelayedTopic.IsDelayed(Encoding.UTF8.GetBytes(topic)));
        Assert.False(DelayedTopic.TryParse(Encoding.UTF8.GetBytes(topic), out _, out _));
    }

    [Theory]
    [InlineData("$delayedly/5/t")]
    [InlineData("delayed/5/t")]
    [InlineData("x/$delayed/5/t")]
    [InlineData("$Delayed/5/t")]
    public void Other_topics_are_topics(string topic) => Assert.False(DelayedTopic.IsDelayed(Encoding.UTF8.GetBytes(topic)));
}
