using Broker.Grains.Sessions;
using Xunit;

namespace Broker.Grains.Tests.SessionRules;

public sealed class TakeoverPaceTests
{
    private const long Start = 1_700_000_000_000;

    [Fact]
    public void Clients_that_take_over_as_soon_as_they_may_do_so_ever_more_slowly()
    {
        var pace = default(TakeoverPace);
        var now = Start;
        var times = new List<long>();
        while (now < Start + 60_000)
        {
            var wait = pace.Wait(now);
            Assert.InRange(wait, TimeSpan.Zero, TakeoverPace.Longest);
            now += (long)wait.TotalMilliseconds;
            pace = pace.Next(now);
            times.Add(now - Start);
        }

        Assert.Equal([0, 0, 0, 0, 100, 300, 700, 1500, 3100, 6300, 11300, 16300], times.Take(12));
        Assert.InRange(times.Count, 15, 25);
    }

    [Fact]
    public void Takeovers_that_are_far_apart_are_no_fight()
    {
        var pace = default(TakeoverPace);
        var now = Start;
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(TimeSpan.Zero, pace.Wait(now));
            pace = pace.Next(now);
            now += (long)TakeoverPace.Peace.TotalMilliseconds + 1;
        }
    }

    [Fact]
    public void After_some_peace_the_next_are_free_again()
    {
        var pace = new TakeoverPace(50, Start);
        Assert.Equal(TakeoverPace.Longest, pace.Wait(Start));
        var later = Start + (long)TakeoverPace.Peace.TotalMilliseconds + 1;
        Assert.Equal(TimeSpan.Zero, pace.Wait(later));
        Assert.Equal(1, pace.Next(later).Count);
    }

    [Fact]
    public void It_moves_to_a_silo_with_another_clock_as_an_age()
    {
        var pace = new TakeoverPace(TakeoverPace.Free + 1, Start);
        var there = pace.Turned(Start + 150).Turned(40_000);

        Assert.Equal(pace.Wait(Start + 150), there.Wait(40_000));
        Assert.Equal(TimeSpan.FromMilliseconds(50), there.Wait(40_000));
    }
}
