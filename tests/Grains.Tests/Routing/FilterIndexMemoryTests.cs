using System.Text;
using Broker.Grains.Routing;
using Xunit;

namespace Broker.Grains.Tests.Routing;

/// <summary>What comes and goes leaves nothing behind.</summary>
[Collection(MeasuredAlone.Name)]
public sealed class FilterIndexMemoryTests
{
    [Fact]
    public void Churn_of_fresh_filters_does_not_grow_the_index()
    {
        var index = new FilterIndex<Subscriber>();
        Churn(index, 0, 20_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        Churn(index, 20_000, 400_000);

        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(index);
        Assert.True(grown < 1_000_000, $"{grown} bytes more after 400,000 filters came and went");
        Assert.Equal((0, 1), index.Footprint());
    }

    [Fact]
    public void Removing_a_hundred_thousand_filters_gives_the_memory_back()
    {
        var index = new FilterIndex<Subscriber>(0);
        var subscriber = new Subscriber("s");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 100_000; i++)
        {
            index.Add(Name(i), subscriber);
        }

        var full = GC.GetTotalMemory(forceFullCollection: true) - before;
        for (var i = 0; i < 100_000; i++)
        {
            index.Remove(Name(i), subscriber);
        }

        var left = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(index);
        Assert.True(left < full / 20, $"{left} of {full} bytes are left");
    }

    [Fact]
    public void A_removed_subscriber_is_not_kept_alive_for_long()
    {
        var index = new FilterIndex<Subscriber>(64);
        var buffer = new MatchBuffer<Subscriber>();
        var gone = AddMatchRemove(index, buffer);
        var other = new Subscriber("other");
        for (var i = 0; i < 64; i++)
        {
            index.Add(Name(i), other);
            index.Remove(Name(i), other);
        }

        index.Match("nothing"u8, buffer);
        GC.Collect();
        Assert.False(gone.IsAlive);
        GC.KeepAlive(index);
        GC.KeepAlive(buffer);
    }

    [Fact]
    public void The_cache_stays_within_its_bytes()
    {
        const long Limit = 100_000;
        var stripes = new ChangeStripes();
        var cache = new MatchCache(stripes, 4096, Limit);
        var results = new object?[50];
        for (var i = 0; i < 50_000; i++)
        {
            var topic = Encoding.UTF8.GetBytes(Name(i));
            var stamp = stripes.Take(topic);
            cache.Offer(topic, TopicHash.Of(topic), stamp, results);
            cache.Offer(topic, TopicHash.Of(topic), stamp, results);
            Assert.True(cache.Bytes <= Limit);
        }

        Assert.True(cache.Bytes > Limit / 2);
    }

    private static WeakReference AddMatchRemove(FilterIndex<Subscriber> index, MatchBuffer<Subscriber> buffer)
    {
        var subscriber = new Subscriber("gone");
        foreach (var filter in (string[])["t/+", "t/#", "t/x"])
        {
            index.Add(filter, subscriber);
        }

        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(3, index.Match("t/x"u8, buffer).Length);
        }

        foreach (var filter in (string[])["t/+", "t/#", "t/x"])
        {
            index.Remove(filter, subscriber);
        }

        return new WeakReference(subscriber);
    }

    private static void Churn(FilterIndex<Subscriber> index, int from, int count)
    {
        var subscriber = new Subscriber("s");
        for (var i = from; i < from + count; i++)
        {
            index.Add(Name(i), subscriber);
            if (i - from >= 100)
            {
                index.Remove(Name(i - 100), subscriber);
            }
        }

        for (var i = from + count - 100; i < from + count; i++)
        {
            index.Remove(Name(i), subscriber);
        }
    }

    private static string Name(int i) => (i % 4) switch
    {
        0 => $"device{i}/+/state",
        1 => $"site/device{i}/#",
        2 => $"site/{i}/value",
        _ => $"+/device{i}",
    };
}
