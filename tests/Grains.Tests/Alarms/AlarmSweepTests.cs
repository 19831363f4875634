using Broker.Grains.Options;
using Xunit;

namespace Broker.Grains.Tests.Alarms;

/// <summary>Alarms whose owner has died do not stay for ever.</summary>
public sealed class AlarmSweepTests : IDisposable
{
    private static readonly AlarmOptions Options = new();

    private readonly ManualTime _time = new();
    private readonly AlarmSilo _dead;
    private readonly AlarmSilo _silo;

    public AlarmSweepTests()
    {
        _dead = new AlarmSilo(2, _time);
        _silo = new AlarmSilo(1, _time);
        _silo.Statuses.Set(_dead.SiloAddress, SiloStatus.Active);
    }

    [Theory]
    [InlineData("store_unavailable/")]
    [InlineData("memory_high/")]
    [InlineData("cpu_high/")]
    [InlineData("clock_jump/")]
    [InlineData("store_slow/")]
    [InlineData("connections_full/")]
    [InlineData("silo_joined/")]
    public async Task What_a_silo_said_of_itself_is_cleared_when_none_of_its_name_has_lived_for_a_while(string kind)
    {
        RaiseThere(kind + _dead.Name);
        await PassAsync(Options.OrphanedAfter * 2);
        Assert.Single(_silo.Raised);

        _silo.Statuses.Set(_dead.SiloAddress, SiloStatus.Dead);
        await PassAsync(TimeSpan.Zero);
        await PassAsync(Options.OrphanedAfter / 2);
        Assert.Single(_silo.Raised);

        // It is back for a moment: counted anew.
        _silo.Statuses.Set(_dead.SiloAddress, SiloStatus.Joining);
        await PassAsync(Options.OrphanedAfter);
        _silo.Statuses.Set(_dead.SiloAddress, SiloStatus.Dead);
        await PassAsync(TimeSpan.Zero);
        Assert.Single(_silo.Raised);
        await PassAsync(Options.OrphanedAfter);

        Assert.Empty(_silo.Raised);
    }

    [Theory]
    [InlineData("silo_lost/")]
    [InlineData("silo_left/")]
    public async Task A_silo_is_missed_for_a_bounded_time(string kind)
    {
        _silo.Raise(kind + _dead.Name);
        await PassAsync(Options.SiloLostFor - TimeSpan.FromMilliseconds(1));
        Assert.Single(_silo.Raised);

        await PassAsync(TimeSpan.FromMilliseconds(1));

        Assert.Empty(_silo.Raised);
    }

    [Fact]
    public async Task Queue_of_a_session_that_died_with_its_silo_is_not_high_any_more()
    {
        RaiseThere("queue_high/gone");
        await PassAsync(Options.OrphanedAfter * 2);
        Assert.Single(_silo.Raised);

        _silo.Statuses.Set(_dead.SiloAddress, SiloStatus.Dead);
        await PassAsync(TimeSpan.Zero);
        await PassAsync(Options.OrphanedAfter);

        Assert.Empty(_silo.Raised);
    }

    [Fact]
    public async Task Queue_of_a_durable_session_stays_high_until_somebody_has_it()
    {
        _silo.Stored.Add("durable");
        RaiseThere("queue_high/durable");
        _silo.Statuses.Set(_dead.SiloAddress, SiloStatus.Dead);
        await PassAsync(TimeSpan.Zero);
        await PassAsync(Options.OrphanedAfter);
        await PassAsync(Options.OrphanedAfter);
        Assert.Single(_silo.Raised);

        // It has expired; the next question finds nothing.
        _silo.Stored.Clear();
        await PassAsync(Options.OrphanedAfter);

        Assert.Empty(_silo.Raised);
    }

    [Fact]
    public async Task Alarm_of_a_session_that_has_come_here_is_this_silos()
    {
        _silo.Sessions["c"] = true;
        RaiseThere("queue_high/c");
        var raisedAt = Assert.Single(_silo.Service.Raised()).RaisedAt;
        await PassAsync(TimeSpan.FromSeconds(1));

        var own = Assert.Single(_silo.Service.Raised());
        Assert.Equal((_silo.Name, raisedAt), (own.Node, own.RaisedAt));

        // Whoever starts anew under the old name has not the session, and learns that it is not its alarm.
        _silo.Tell(_dead);
        _dead.Statuses.Set(_silo.SiloAddress, SiloStatus.Active);
        await _dead.SweepAsync();
        _time.Pass(Options.OrphanedAfter * 2);
        await _dead.SweepAsync();
        Assert.Equal(["queue_high/c"], _dead.Raised);

        // Looked at again: nothing changes any more.
        await PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(own, Assert.Single(_silo.Service.Raised()));
    }

    [Fact]
    public async Task Single_broker_clears_at_once_what_no_session_of_it_has()
    {
        using var single = new AlarmSilo(3, _time, isCluster: false);
        single.Sessions["here"] = true;
        single.Raise("queue_high/here");
        single.Raise("queue_high/gone");
        single.Raise("queue_high/$share/g/t");

        await single.SweepAsync();

        Assert.Equal(["queue_high/here"], single.Raised);
    }

    [Fact]
    public async Task Alarms_of_others_are_left_alone()
    {
        _silo.Raise("mine/of/my/own");
        _silo.Raise($"memory_high/{_silo.Name}");
        await PassAsync(TimeSpan.Zero);
        await PassAsync(TimeSpan.FromDays(1));

        Assert.Equal(2, _silo.Raised.Count());
    }

    public void Dispose()
    {
        _silo.Dispose();
        _dead.Dispose();
    }

    private void RaiseThere(string id)
    {
        _dead.Raise(id);
        _dead.Tell(_silo);
        Assert.Equal([id], _silo.Raised);
    }

    private async Task PassAsync(TimeSpan time)
    {
        _time.Pass(time);
        await _silo.SweepAsync();
    }
}
