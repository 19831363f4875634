using System.Text;
using Xunit;

namespace Broker.Protocol.Tests;

public sealed class TopicRulesTests
{
    // [MQTT-4.7.0-1]
    [Theory]
    [InlineData("a", true)]
    [InlineData("/", true)]
    [InlineData("//", true)]
    [InlineData("/a", true)]
    [InlineData("a/", true)]
    [InlineData("a b", true)]
    [InlineData("$SYS/x", true)]
    [InlineData("ä/ö", true)]
    [InlineData("", false)]
    [InlineData("#", false)]
    [InlineData("+", false)]
    [InlineData("a/#", false)]
    [InlineData("a/+/b", false)]
    [InlineData("a+", false)]
    [InlineData("a#b", false)]
    public void Topic_Name_has_a_character_and_no_wildcard_MQTT_4_7_3_1_MQTT_3_3_2_2(string topic, bool isValid) =>
        Assert.Equal(isValid, TopicRules.IsValidName(Encoding.UTF8.GetBytes(topic)));

    [Theory]
    [InlineData("#", true)]
    [InlineData("+", true)]
    [InlineData("/#", true)]
    [InlineData("/+", true)]
    [InlineData("+/", true)]
    [InlineData("+/+", true)]
    [InlineData("+/#", true)]
    [InlineData("a/+/b/#", true)]
    [InlineData("sport/tennis/#", true)]
    [InlineData("$SYS/#", true)]
    [InlineData("a", true)]
    [InlineData("//", true)]
    [InlineData("", false)]
    [InlineData("##", false)]
    [InlineData("#/", false)]
    [InlineData("#/a", false)]
    [InlineData("a#", false)]
    [InlineData("#a", false)]
    [InlineData("a/#/b", false)]
    [InlineData("sport/tennis#", false)]
    [InlineData("sport+", false)]
    [InlineData("+a", false)]
    [InlineData("++", false)]
    [InlineData("a/+b", false)]
    [InlineData("a/b+/c", false)]
    [InlineData("+#", false)]
    [InlineData("#+", false)]
    public void Topic_Filter_has_wildcards_as_whole_levels_only_MQTT_4_7_1_1_MQTT_4_7_1_2(string filter, bool isValid) =>
        Assert.Equal(isValid, TopicRules.IsValidFilter(Encoding.UTF8.GetBytes(filter)));

    [Theory]
    [InlineData("$share/g/a", true)]
    [InlineData("$share/g/#", true)]
    [InlineData("$share", false)]
    [InlineData("$shared/g/a", false)]
    [InlineData("a/$share/g", false)]
    [InlineData("$SHARE/g/a", false)]
    public void Shared_filter_begins_with_share_MQTT_4_8_2_1(string filter, bool isShared) =>
        Assert.Equal(isShared, SharedFilter.IsShared(Encoding.UTF8.GetBytes(filter)));

    [Theory]
    [InlineData("a/b/c", 5, 3, true)]
    [InlineData("a/b/c", 4, 3, false)]
    [InlineData("a/b/c", 5, 2, false)]
    [InlineData("///", 3, 4, true)]
    [InlineData("///", 3, 3, false)]
    [InlineData("ä", 1, 1, false)]
    [InlineData("ä", 2, 1, true)]
    public void Limits_count_bytes_and_levels(string topic, int bytes, int levels, bool isWithin) =>
        Assert.Equal(isWithin, TopicRules.IsWithinLimits(Encoding.UTF8.GetBytes(topic), bytes, levels));
}
