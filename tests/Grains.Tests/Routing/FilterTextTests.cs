using System.Text;
using Broker.Grains.Routing;
using Xunit;

namespace Broker.Grains.Tests.Routing;

public sealed class FilterTextTests
{
    [Theory]
    [InlineData("a", "a", true)]
    [InlineData("a", "b", false)]
    [InlineData("a/+", "a/b", true)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/+", "a/b/c", false)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("#", "a/b", true)]
    [InlineData("#", "$SYS/x", false)]
    [InlineData("+/x", "$SYS/x", false)]
    [InlineData("$SYS/#", "$SYS/x", true)]
    [InlineData("+", "/a", false)]
    [InlineData("+/+", "/a", true)]
    [InlineData("a/b", "a", false)]
    [InlineData("a//b", "a//b", true)]
    [InlineData("+/#", "a", true)]
    public void Filter_matches_as_in_MQTT_4_7_1(string filter, string topic, bool expected) =>
        Assert.Equal(expected, FilterText.Matches(Encoding.UTF8.GetBytes(filter), Encoding.UTF8.GetBytes(topic)));
}
