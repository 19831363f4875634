using System.Text;
using Broker.Grains.Routing;
using CsCheck;
using Xunit;

namespace Broker.Grains.Tests.Routing;

/// <summary>Random adds, removes and matches against <see cref="NaiveMatcher" />.</summary>
public sealed class FilterIndexModelTests
{
    private static readonly string[] Texts = ["", "a", "b", "A", "$S", "$", "long-level-of-a-name", "é"];

    private static readonly Gen<string> Level = Gen.Int[0, Texts.Length - 1].Select(x => Texts[x]);

    private static readonly Gen<string> Topic = Level.Array[1, 6]
        .Select(x => string.Join('/', x)).Where(x => x.Length > 0);

    private static readonly Gen<string> Filter = Gen.Select(
        Gen.Int[0, Texts.Length + 4].Select(x => x < Texts.Length ? Texts[x] : "+").Array[1, 5],
        Gen.Bool,
        (levels, below) => string.Join('/', below ? [.. levels[1..], "#"] : levels)).Where(x => x.Length > 0);

    private static readonly Gen<(int Kind, string Filter, string Topic, int Subscriber)> Step =
        Gen.Select(Gen.Int[0, 9], Filter, Topic, Gen.Int[0, 4]);

    [Theory]
    [InlineData(0)]
    [InlineData(64)]
    public void Agrees_with_the_reference_under_adds_and_removes(int cachedTopics) =>
        Step.Array[1, 200].Sample(steps => Run(steps, cachedTopics), iter: 2_000);

    [Fact]
    public void Agrees_with_the_reference_when_tables_split_and_join()
    {
        var random = new Random(7);
        var index = new FilterIndex<Subscriber>(256);
        var subscriber = new Subscriber("s");
        var model = new HashSet<string>();
        string RandomName(bool filter)
        {
            var levels = Enumerable.Range(0, 4).Select(_ => filter && random.Next(5) == 0 ? "+" : $"n{random.Next(14)}");
            return string.Join('/', filter && random.Next(6) == 0 ? levels.Take(2).Append("#") : levels);
        }

        for (var wave = 0; wave < 3; wave++)
        {
            for (var i = 0; i < 30_000; i++)
            {
                var filter = RandomName(filter: true);
                Assert.Equal(model.Add(filter), index.Add(filter, subscriber));
            }

            AssertSame(wave);
            foreach (var filter in model.Where(_ => random.Next(50) != 0).ToArray())
            {
                model.Remove(filter);
                Assert.True(index.Remove(filter, subscriber));
            }

            AssertSame(wave);
        }

        void AssertSame(int wave)
        {
            Assert.Equal(model.Count, index.FilterCount);
            Assert.Equal(model.Order(StringComparer.Ordinal), index.FilterNames());
            for (var i = 0; i < 40; i++)
            {
                var topic = RandomName(filter: false);
                Assert.True(
                    model.Count(x => NaiveMatcher.Matches(x, topic)) == index.Match(topic).Length, $"wave {wave}, {topic}");
            }
        }
    }

    private static void Run((int Kind, string Filter, string Topic, int Subscriber)[] steps, int cachedTopics)
    {
        var index = new FilterIndex<Subscriber>(cachedTopics);
        var subscribers = Enumerable.Range(0, 5).Select(x => new Subscriber($"{x}")).ToArray();
        var model = new HashSet<(string Filter, int Subscriber)>();
        var buffer = new MatchBuffer<Subscriber>();
        foreach (var (kind, filter, topic, who) in steps)
        {
            var version = index.Version;
            var changed = kind switch
            {
                < 3 => index.Add(filter, subscribers[who]),
                < 5 => index.Remove(filter, subscribers[who]),
                _ => false,
            };
            var expected = kind switch
            {
                < 3 => model.Add((filter, who)),
                < 5 => model.Remove((filter, who)),
                _ => false,
            };

            Assert.Equal(expected, changed);
            Assert.Equal(changed, index.Version > version);
            Check(model.Where(x => x.Filter == filter), index.SubscribersOf(Encoding.UTF8.GetBytes(filter), buffer));

            // Several times, so that the cache comes into play.
            for (var i = 0; i < 3; i++)
            {
                Check(
                    model.Where(x => NaiveMatcher.Matches(x.Filter, topic)),
                    index.Match(Encoding.UTF8.GetBytes(topic), buffer));
            }
        }

        Assert.Equal(model.Count, index.SubscriberCount);
        Assert.Equal(model.Select(x => x.Filter).Distinct().Order(StringComparer.Ordinal), index.FilterNames());
        foreach (var (filter, who) in model)
        {
            Assert.True(index.Remove(filter, subscribers[who]));
        }

        Assert.Equal((0, 0), (index.FilterCount, index.SubscriberCount));
        Assert.Equal((0, 1), index.Footprint());
    }

    private static void Check(IEnumerable<(string Filter, int Subscriber)> expected, ReadOnlySpan<Subscriber> actual) =>
        Assert.Equal(
            expected.Select(x => $"{x.Subscriber}").Order(StringComparer.Ordinal),
            actual.ToArray().Select(x => x.Name).Order(StringComparer.Ordinal));
}
