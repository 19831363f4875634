using System.Collections.Concurrent;
using Broker.Grains.Messages;
using Broker.Grains.Tests.Retained;
using Broker.Grains.Tests.SessionModel;
using Xunit;

namespace Broker.Grains.Tests.Messages;

public sealed class MessageIdSourceTests
{
    // More than the sequence in an id can tell apart.
    private const int Many = 70_000;

    private readonly SkewedTime _time = new(DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000));

    [Fact]
    public void Ids_of_a_silo_ascend_and_never_repeat_while_the_clock_stands_still_or_goes_back()
    {
        var ids = Source(1);
        var last = MessageId.None;
        for (var i = 0; i < Many; i++)
        {
            _time.Now -= TimeSpan.FromMilliseconds(i % 2);
            var next = ids.Next(7);
            Assert.True(next > last);
            last = next;
        }
    }

    [Fact]
    public async Task Ids_that_are_drawn_at_the_same_time_are_different()
    {
        var ids = Source(1);
        var drawn = new ConcurrentBag<MessageId>();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < Many; i++)
            {
                drawn.Add(ids.Next(7));
            }
        })));

        Assert.Equal(4 * Many, drawn.Distinct().Count());
    }

    [Fact]
    public void Ids_are_higher_than_those_that_were_observed()
    {
        var ahead = Source(9);
        _time.Now += TimeSpan.FromDays(1);
        var seen = ahead.Next(uint.MaxValue);
        _time.Now -= TimeSpan.FromDays(1);
        var ids = Source(1);
        ids.Observe(seen);

        Assert.True(ids.Next(0) > seen);
        ids.Observe(MessageId.None);
        Assert.True(ids.Next(0) > seen);
    }

    [Fact]
    public void Ids_of_two_silos_are_different_in_the_same_microsecond()
    {
        var first = Source(1).Next(7);
        var second = Source(2).Next(7);

        Assert.Equal(first.TimestampMicroseconds, second.TimestampMicroseconds);
        Assert.NotEqual(first, second);
        Assert.Equal((1, 2), (first.Node, second.Node));
    }

    private MessageIdSource Source(ushort node) => new(new MemoryStore(new MemoryRows()) { NodeNumber = node }, _time);
}
