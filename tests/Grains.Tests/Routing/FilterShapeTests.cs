using System.Text;
using Broker.Grains.Routing;
using Xunit;

namespace Broker.Grains.Tests.Routing;

/// <summary>What of one shape is looked for, and when shapes come and go.</summary>
public sealed class FilterShapeTests
{
    [Theory]
    [InlineData("a/b/c", "a/b/c")]
    [InlineData("+/b/c", "a/b/c")]
    [InlineData("a/+/c", "a/b/c")]
    [InlineData("a/b/+", "a/b/c")]
    [InlineData("+/+/+", "a/b/c")]
    [InlineData("#", "a/b/c")]
    [InlineData("a/#", "a/b/c")]
    [InlineData("a/#", "a")]
    [InlineData("+/#", "a")]
    [InlineData("a/+/#", "a/b/c/d")]
    [InlineData("//#", "//")]
    [InlineData("+//+", "a//")]
    public void The_filter_that_matches_has_the_hash_and_the_text_that_are_looked_for(string filter, string topic)
    {
        var (shape, levels) = (new FilterShape(Bytes(filter)), Levels(topic));

        Assert.True(shape.Fits(levels.Count, isReserved: false));
        Assert.Equal(TopicHash.OfFilter(Bytes(filter)), shape.HashFor(levels));
        Assert.True(shape.Matches(Bytes(filter), Bytes(topic), levels));
    }

    [Theory]
    [InlineData("a/+/c", "a/b/c", "a/b/c")]
    [InlineData("a/+/c", "a/b/c", "a/+/d")]
    [InlineData("a/+/c", "a/b/c", "a/+/cc")]
    [InlineData("a/+/c", "a/b/c", "a/+")]
    [InlineData("a/+/c", "a/b/c", "a/")]
    [InlineData("a/+/c", "a/b/c", "+/b/c")]
    [InlineData("a/#", "a/b", "b/#")]
    [InlineData("a/#", "a/b", "a/b")]
    [InlineData("a/#", "a/b", "a/")]
    [InlineData("a/#", "a/b", "#")]
    [InlineData("#", "a/b", "a/#")]
    [InlineData("#", "a/b", "+")]
    [InlineData("+/#", "a/b", "+")]
    [InlineData("a/b", "a/b", "a/+")]
    public void Another_filter_whose_hash_is_the_same_does_not_match(string filter, string topic, string other) =>
        Assert.False(new FilterShape(Bytes(filter)).Matches(Bytes(other), Bytes(topic), Levels(topic)));

    [Theory]
    [InlineData("a/b", 2, true, true)]
    [InlineData("a/b", 3, false, false)]
    [InlineData("a/#", 1, true, true)]
    [InlineData("a/#", 9, true, true)]
    [InlineData("a/b/#", 1, false, false)]
    [InlineData("+/b", 2, true, false)]
    [InlineData("#", 1, true, false)]
    public void Only_shapes_that_can_match_are_looked_for_MQTT_4_7_2_1(string filter, int levels, bool fits, bool fitsReserved)
    {
        var shapes = new FilterShapes();
        shapes.Add(Bytes(filter));

        Assert.Equal(fits ? 1 : 0, shapes.For(levels, isReserved: false).Length);
        Assert.Equal(fitsReserved ? 1 : 0, shapes.For(levels, isReserved: true).Length);
    }

    [Fact]
    public void A_shape_goes_with_its_last_filter_and_comes_back_with_the_next()
    {
        var shapes = new FilterShapes();
        Assert.Equal(0, shapes.For(2, isReserved: false).Length);
        shapes.Add("a/+"u8);
        shapes.Add("b/+"u8);
        shapes.Add("b/#"u8);
        Assert.Equal((2, 2), (shapes.Count, shapes.For(2, isReserved: false).Length));
        shapes.Remove("a/+"u8);
        Assert.Equal((2, 2), (shapes.Count, shapes.For(2, isReserved: false).Length));
        shapes.Remove("b/+"u8);
        Assert.Equal((1, 1), (shapes.Count, shapes.For(2, isReserved: false).Length));
        shapes.Add("c/+"u8);
        Assert.Equal((2, 2), (shapes.Count, shapes.For(2, isReserved: false).Length));
    }

    [Fact]
    public void Filters_of_more_shapes_than_are_looked_for_at_a_time_are_all_found()
    {
        const int Levels = 9;
        const int Shapes = 1 << Levels;
        Assert.True(Shapes > 8 * FilterSearch.Batch);
        var index = new FilterIndex<Subscriber>(0);
        for (var wild = 0; wild < Shapes; wild++)
        {
            var filter = string.Join('/', Enumerable.Range(0, Levels).Select(level => (wild >> level & 1) == 0 ? $"l{level}" : "+"));
            Assert.True(index.Add(filter, new Subscriber(filter)));
        }

        var topic = string.Join('/', Enumerable.Range(0, Levels).Select(static level => $"l{level}"));
        Assert.Equal(Shapes, index.Match(topic).Select(static x => x.Name).Distinct().Count());
        Assert.Equal(Shapes / 2, index.Match(topic.Replace("l3", "x", StringComparison.Ordinal)).Length);
        Assert.Equal((Shapes, 1), index.Footprint());
    }

    private static TopicLevels Levels(string topic)
    {
        var levels = new TopicLevels();
        levels.Read(Bytes(topic));
        return levels;
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
