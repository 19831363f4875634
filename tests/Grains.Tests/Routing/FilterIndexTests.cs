using Broker.Grains.Routing;
using Xunit;

namespace Broker.Grains.Tests.Routing;

public sealed class FilterIndexTests
{
    [Theory]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1/ranking", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player2", false)]
    [InlineData("sport/#", "sport", true)]
    [InlineData("sport/#", "sports", false)]
    [InlineData("#", "anything/at/all", true)]
    [InlineData("#", "/", true)]
    [InlineData("/#", "/", true)]
    [InlineData("/#", "a", false)]
    [InlineData("a//#", "a/", true)]
    public void Hash_matches_the_parent_and_everything_below_MQTT_4_7_1_1(string filter, string topic, bool expected) =>
        AssertMatch(filter, topic, expected);

    [Theory]
    [InlineData("sport/tennis/+", "sport/tennis/player1", true)]
    [InlineData("sport/tennis/+", "sport/tennis/player1/ranking", false)]
    [InlineData("sport/+", "sport", false)]
    [InlineData("sport/+", "sport/", true)]
    [InlineData("+/+", "/finance", true)]
    [InlineData("/+", "/finance", true)]
    [InlineData("+", "/finance", false)]
    [InlineData("+", "finance", true)]
    [InlineData("+/tennis/#", "sport/tennis", true)]
    [InlineData("+/tennis/#", "sport/tennis/x/y", true)]
    [InlineData("sport/+/player1", "sport/tennis/player1", true)]
    [InlineData("sport/+/player1", "sport//player1", true)]
    [InlineData("+/+/+", "//", true)]
    [InlineData("+/#", "a", true)]
    [InlineData("+/#", "/", true)]
    public void Plus_matches_exactly_one_level_MQTT_4_7_1_2(string filter, string topic, bool expected) =>
        AssertMatch(filter, topic, expected);

    [Theory]
    [InlineData("#", "$SYS/x", false)]
    [InlineData("+/monitor/Clients", "$SYS/monitor/Clients", false)]
    [InlineData("+", "$SYS", false)]
    [InlineData("+/#", "$SYS", false)]
    [InlineData("$SYS/#", "$SYS/x", true)]
    [InlineData("$SYS/monitor/+", "$SYS/monitor/Clients", true)]
    [InlineData("$SYS/+/#", "$SYS/monitor", true)]
    [InlineData("a/#", "a/$SYS", true)]
    [InlineData("+/$SYS", "a/$SYS", true)]
    [InlineData("$SYS/x", "$SYS/x", true)]
    public void Leading_wildcards_do_not_match_topics_with_a_dollar_MQTT_4_7_2_1(string filter, string topic, bool expected) =>
        AssertMatch(filter, topic, expected);

    [Theory]
    [InlineData("ACCOUNTS", "Accounts", false)]
    [InlineData("Accounts payable", "Accounts payable", true)]
    [InlineData("/finance", "finance", false)]
    [InlineData("finance", "finance/", false)]
    [InlineData("finance/", "finance/", true)]
    [InlineData("/", "/", true)]
    [InlineData("a//b", "a/b", false)]
    [InlineData("é/+", "é/ü", true)]
    public void Names_are_compared_byte_by_byte_and_empty_levels_count(string filter, string topic, bool expected) =>
        AssertMatch(filter, topic, expected);

    [Theory]
    [InlineData("a/b")]
    [InlineData("a/+/c")]
    [InlineData("a/#")]
    [InlineData("#")]
    [InlineData("+")]
    [InlineData("/")]
    [InlineData("//")]
    [InlineData("/+/")]
    [InlineData("//+/#")]
    public void A_filter_comes_and_goes(string filter)
    {
        var index = new FilterIndex<Subscriber>();
        var one = new Subscriber("x");
        var other = new Subscriber("x");

        Assert.False(index.Remove(filter, one));
        Assert.True(index.Add(filter, one));
        Assert.False(index.Add(filter, one));
        Assert.True(index.Add(filter, other));
        Assert.False(index.Add(filter, other));
        Assert.Equal((1, 2), (index.FilterCount, index.SubscriberCount));
        Assert.Equal([filter], index.FilterNames());
        Assert.Equal(2, index.Filters().Single().Subscribers);
        Assert.Equal(2, index.SubscribersOf(filter).Distinct(ReferenceEqualityComparer.Instance).Count());

        Assert.True(index.Remove(filter, one));
        Assert.False(index.Remove(filter, one));
        Assert.Same(other, Assert.Single(index.SubscribersOf(filter)));
        Assert.True(index.Add(filter, one));
        Assert.True(index.Remove(filter, other));
        Assert.Same(one, Assert.Single(index.SubscribersOf(filter)));

        Assert.True(index.Remove(filter, one));
        Assert.Equal((0, 0), (index.FilterCount, index.SubscriberCount));
        Assert.Empty(index.Filters());
        Assert.Empty(index.SubscribersOf(filter));
        Assert.Equal((0, 1), index.Footprint());
    }

    [Fact]
    public void Exact_lookup_does_not_match_wildcards()
    {
        var index = new FilterIndex<Subscriber>();
        index.Add("a/+", new Subscriber("wild"));
        index.Add("a/#", new Subscriber("below"));
        index.Add("a/b", new Subscriber("exact"));

        Assert.Equal("exact", Assert.Single(index.SubscribersOf("a/b")).Name);
        Assert.Equal("wild", Assert.Single(index.SubscribersOf("a/+")).Name);
        Assert.Equal("below", Assert.Single(index.SubscribersOf("a/#")).Name);
        Assert.Equal(3, index.Match("a/b").Length);
    }

    [Fact]
    public void Filters_of_the_largest_size_and_depth_are_found()
    {
        var index = new FilterIndex<Subscriber>();
        var deep = string.Join('/', Enumerable.Repeat("+", 127)) + "/#";
        var topic = string.Join('/', Enumerable.Repeat("a", 128));
        var filters = new[] { deep, topic, new string('x', 4096), "+/" + new string('y', 4094) };
        foreach (var filter in filters)
        {
            Assert.True(index.Add(filter, new Subscriber(filter)));
        }

        Assert.Equal(2, index.Match(topic).Length);
        Assert.Equal(filters[2], Assert.Single(index.Match(filters[2])).Name);
        Assert.Equal(filters[3], Assert.Single(index.Match("z/" + new string('y', 4094))).Name);
        Assert.Empty(index.Match(new string('x', 4095)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(64)]
    public void Filters_as_long_as_a_string_can_be_and_deeper_than_matches_are_planned_for_are_found(int cachedTopics)
    {
        const int Longest = ushort.MaxValue;
        var index = new FilterIndex<Subscriber>(cachedTopics);
        string[] filters =
        [
            new('x', Longest), new('y', Longest), new('/', Longest), string.Join('/', Enumerable.Repeat("+", 300)),
            string.Join('/', Enumerable.Repeat("a", 200)) + "/#",
        ];
        foreach (var filter in filters)
        {
            Assert.True(index.Add(filter, new Subscriber(filter)));
        }

        Assert.Equal(filters.Order(StringComparer.Ordinal), index.FilterNames());
        for (var i = 0; i < 3; i++)
        {
            Assert.All(filters[..3], filter => Assert.Equal(filter, Assert.Single(index.Match(filter)).Name));
            Assert.Equal(2, index.Match(string.Join('/', Enumerable.Repeat("a", 300))).Length);
            Assert.Single(index.Match(string.Join('/', Enumerable.Repeat("a", 301))));
        }

        Assert.All(filters, filter => Assert.True(index.Remove(filter, index.SubscribersOf(filter)[0])));
        Assert.Equal((0, 1), index.Footprint());
    }

    [Theory]
    [InlineData("hot/topic")]
    [InlineData("hot/+")]
    [InlineData("hot/#")]
    public void A_filter_with_many_subscribers_keeps_each_once(string filter)
    {
        var index = new FilterIndex<Subscriber>(0);
        var all = Enumerable.Range(0, 100_000).Select(x => new Subscriber(x.ToString("D6"))).ToArray();
        foreach (var subscriber in all)
        {
            Assert.True(index.Add(filter, subscriber));
        }

        Assert.False(index.Add(filter, all[77]));
        Assert.Equal(all.Length, index.Match("hot/topic").Distinct(ReferenceEqualityComparer.Instance).Count());

        foreach (var subscriber in all.Where((_, i) => i % 3 != 0))
        {
            Assert.True(index.Remove(filter, subscriber));
        }

        Assert.Equal(
            all.Where((_, i) => i % 3 == 0).Select(x => x.Name),
            index.Match("hot/topic").Select(x => x.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_buffer_gives_back_what_is_far_too_large()
    {
        var index = new FilterIndex<Subscriber>(0);
        var buffer = new MatchBuffer<Subscriber>();
        for (var i = 0; i < 50_000; i++)
        {
            index.Add("many", new Subscriber("m"));
        }

        Assert.Equal(50_000, index.Match("many"u8, buffer).Length);
        Assert.True(buffer.Scratch.Capacity >= 50_000);
        for (var i = 0; i < 200; i++)
        {
            index.Match("none"u8, buffer);
        }

        Assert.True(buffer.Scratch.Capacity < 1_000);
        Assert.Equal(50_000, index.Match("many"u8, buffer).Length);
    }

    private static void AssertMatch(string filter, string topic, bool expected)
    {
        var index = new FilterIndex<Subscriber>();
        index.Add(filter, new Subscriber(filter));
        index.Add("unrelated/filter", new Subscriber("u"));

        Assert.Equal(expected, NaiveMatcher.Matches(filter, topic));
        Assert.Equal(expected ? 1 : 0, index.Match(topic).Length);
    }
}
