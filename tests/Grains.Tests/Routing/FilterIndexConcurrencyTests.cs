using System.Text;
using Broker.Grains.Routing;
using Xunit;

namespace Broker.Grains.Tests.Routing;

/// <summary>Readers beside a writer at full speed: who stays is found exactly once, who left is not found.</summary>
public sealed class FilterIndexConcurrencyTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(2);

    private static readonly string[] Topics = ["a/b/c", "a/b", "x/y/z", "$S/a", "a//c", "fan/out"];

    private static readonly string[] Filters =
        ["a/b/c", "a/+/c", "+/b/#", "#", "a/b", "x/#", "x/y/+", "$S/+", "$S/a", "a//c", "+/+/+", "fan/out", "fan/+"];

    [Theory]
    [InlineData(0)]
    [InlineData(1024)]
    public void Permanent_subscriptions_are_found_exactly_once_while_others_come_and_go(int cachedTopics)
    {
        var index = new FilterIndex<Subscriber>(cachedTopics);
        var expected = Topics.ToDictionary(x => x, _ => new List<Subscriber>());
        foreach (var filter in Filters)
        {
            // Three each, between subscribers that go, so that sets and single fields are both in use.
            for (var i = 0; i < 3; i++)
            {
                var goes = new Subscriber("goes");
                var stays = new Subscriber("stays");
                index.Add(filter, goes);
                index.Add(filter, stays);
                index.Remove(filter, goes);
                foreach (var topic in Topics.Where(x => NaiveMatcher.Matches(filter, x)))
                {
                    expected[topic].Add(stays);
                }
            }
        }

        var failures = Race(index, expected, Churn);

        Assert.True(failures.Count == 0, string.Join('\n', failures.Take(5)));
        foreach (var topic in Topics)
        {
            Assert.Equal(expected[topic].Count, index.Match(topic).Length);
        }

        Assert.Equal(Filters.Length, index.FilterCount);
    }

    [Fact]
    public void A_large_set_that_grows_and_shrinks_loses_nobody()
    {
        var index = new FilterIndex<Subscriber>(0);
        var expected = new Dictionary<string, List<Subscriber>> { ["fan/out"] = [] };
        for (var i = 0; i < 500; i++)
        {
            var stays = new Subscriber("stays");
            index.Add("fan/out", stays);
            index.Add("fan/out", new Subscriber("never matched again"));
            expected["fan/out"].Add(stays);
        }

        foreach (var goes in index.SubscribersOf("fan/out").Where(x => x.Name != "stays"))
        {
            index.Remove("fan/out", goes);
        }

        var failures = Race(index, expected, (i, _) =>
        {
            var wave = Enumerable.Range(0, 300).Select(_ => new Subscriber("goes")).ToArray();
            Array.ForEach(wave, x => i.Add("fan/out", x));
            Array.ForEach(wave, x => i.Remove("fan/out", x));
        });

        Assert.True(failures.Count == 0, string.Join('\n', failures.Take(5)));
        Assert.Equal(500, index.SubscriberCount);
    }

    [Theory]
    [InlineData("cold/b")]
    [InlineData("cold/+")]
    [InlineData("+/b")]
    [InlineData("#")]
    public void A_change_is_seen_by_every_match_that_starts_after_it_also_through_the_cache(string filter)
    {
        var index = new FilterIndex<Subscriber>();
        var topic = Encoding.UTF8.GetBytes("cold/b");
        var subscriber = new Subscriber("s");
        var changes = 0L;
        var failures = new List<string>();
        using var stop = new CancellationTokenSource();
        var reader = new Thread(() =>
        {
            // Keeps the result in the cache, now with and now without the subscriber.
            var buffer = new MatchBuffer<Subscriber>();
            while (!stop.IsCancellationRequested)
            {
                var before = Volatile.Read(ref changes);
                var found = index.Match(topic, buffer).Length;
                var after = Volatile.Read(ref changes);
                if (before == after && before % 2 == 0 && found != (before % 4 == 0 ? 0 : 1))
                {
                    failures.Add($"{found} found at change {before}");
                }
            }
        });
        reader.Start();
        var buffer = new MatchBuffer<Subscriber>();
        for (var i = 0; i < 100_000; i++)
        {
            // Odd while a change is under way; 0 modulo 4 when it is absent, 2 when it is there.
            Interlocked.Increment(ref changes);
            Assert.True(i % 2 == 0 ? index.Add(Encoding.UTF8.GetBytes(filter), subscriber)
                : index.Remove(Encoding.UTF8.GetBytes(filter), subscriber));
            Interlocked.Increment(ref changes);
            for (var n = 0; n < 3; n++)
            {
                Assert.Equal(i % 2 == 0 ? 1 : 0, index.Match(topic, buffer).Length);
            }
        }

        stop.Cancel();
        reader.Join();
        Assert.True(failures.Count == 0, string.Join('\n', failures.Take(5)));
    }

    /// <summary>Adds and removes the same filters, and fresh ones that share shards with them.</summary>
    private static void Churn(FilterIndex<Subscriber> index, int round)
    {
        var goes = new Subscriber("goes");
        foreach (var filter in Filters)
        {
            index.Add(filter, goes);
        }

        // Enough fresh filters to split shards, and their removal joins them again.
        var fresh = Enumerable.Range(0, 1_500)
            .Select(x => x % 3 == 0 ? $"a/{round}-{x}/+" : x % 3 == 1 ? $"a/b/{round}-{x}" : $"+/b/{round}-{x}/#").ToArray();
        Array.ForEach(fresh, x => index.Add(x, goes));
        Array.ForEach(fresh, x => index.Remove(x, goes));
        foreach (var filter in Filters)
        {
            index.Remove(filter, goes);
        }
    }

    private static List<string> Race(
        FilterIndex<Subscriber> index,
        Dictionary<string, List<Subscriber>> expected,
        Action<FilterIndex<Subscriber>, int> write)
    {
        var failures = new List<string>();
        using var stop = new CancellationTokenSource(Duration);
        var readers = Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            try
            {
                Read(index, expected, failures, stop.Token);
            }
            catch (Exception e)
            {
                lock (failures)
                {
                    failures.Add(e.ToString());
                }
            }
        })).ToArray();
        Array.ForEach(readers, x => x.Start());
        for (var round = 0; !stop.IsCancellationRequested; round++)
        {
            write(index, round);
        }

        Array.ForEach(readers, x => x.Join());
        return failures;
    }

    private static void Read(
        FilterIndex<Subscriber> index,
        Dictionary<string, List<Subscriber>> expected,
        List<string> failures,
        CancellationToken stop)
    {
        var buffer = new MatchBuffer<Subscriber>();
        while (!stop.IsCancellationRequested)
        {
            foreach (var (topic, subscribers) in expected)
            {
                var found = new HashSet<object>(ReferenceEqualityComparer.Instance);
                var stayed = 0;
                foreach (var subscriber in index.Match(Encoding.UTF8.GetBytes(topic), buffer))
                {
                    stayed += subscriber.Name == "stays" ? 1 : 0;
                    found.Add(subscriber);
                }

                if (stayed != subscribers.Count || !subscribers.TrueForAll(found.Contains))
                {
                    lock (failures)
                    {
                        failures.Add($"{topic}: {stayed} of {subscribers.Count}");
                    }
                }
            }
        }
    }
}
