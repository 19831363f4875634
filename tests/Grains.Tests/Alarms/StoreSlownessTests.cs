using Broker.Grains.Alarms;
using Xunit;

namespace Broker.Grains.Tests.Alarms;

/// <summary>When a store counts as slow: limit 1 s, for 30 s.</summary>
public sealed class StoreSlownessTests
{
    private readonly StoreSlowness _store = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private TimeSpan _now = TimeSpan.FromHours(1);
    private long _commits;
    private TimeSpan _spent;

    [Fact]
    public void Slow_for_a_while_is_slow_until_it_has_not_been_for_as_long()
    {
        Pass(seconds: 30, commits: 1, takes: 1.5);
        Assert.False(_store.IsSlow);
        Pass(seconds: 1, commits: 1, takes: 1.5);
        Assert.True(_store.IsSlow);
        Assert.Equal(TimeSpan.FromSeconds(1.5), _store.Mean);

        Pass(seconds: 29, commits: 100, takes: 0.001);
        Assert.True(_store.IsSlow);
        Pass(seconds: 1, commits: 100, takes: 0.001);
        Assert.False(_store.IsSlow);
    }

    [Fact]
    public void Slow_seconds_between_fast_ones_are_no_alarm()
    {
        for (var i = 0; i < 20; i++)
        {
            Pass(seconds: 5, commits: 1, takes: 3);
            Pass(seconds: 1, commits: 10, takes: 0.01);
            Assert.False(_store.IsSlow);
        }
    }

    [Fact]
    public void Slow_once_in_a_while_is_no_alarm_when_nothing_is_committed_between()
    {
        for (var i = 0; i < 5; i++)
        {
            Pass(seconds: 1, commits: 1, takes: 8);
            Pass(seconds: 30, commits: 0, takes: 0);
            Assert.False(_store.IsSlow);
        }
    }

    [Fact]
    public void Commits_that_take_longer_than_the_time_between_two_looks_count_and_those_just_below_the_limit_end_nothing()
    {
        for (var i = 0; i < 9; i++)
        {
            Pass(seconds: 3, commits: 0, takes: 0);
            Pass(seconds: 1, commits: 1, takes: 4);
        }

        Pass(seconds: 1, commits: 1, takes: 0.9);
        Assert.True(_store.IsSlow);
    }

    private void Pass(int seconds, int commits, double takes)
    {
        for (; seconds > 0; seconds--)
        {
            _now += TimeSpan.FromSeconds(1);
            _commits += commits;
            _spent += TimeSpan.FromSeconds(takes) * commits;
            _store.Look(_now, _commits, _spent);
        }
    }
}
