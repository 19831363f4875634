using Broker.Grains.Alarms;
using Broker.Grains.Options;
using Broker.Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Grains.Tests.Alarms;

/// <summary>What is looked at every second.</summary>
public sealed class AlarmWatchTests : IDisposable
{
    // The machine that tests run on may be full; that is not what is asked here.
    private static readonly AlarmOptions Options = new() { MemoryHigh = 1, CpuHigh = 1 };

    private readonly ManualTime _time = new();
    private readonly StoreMetrics _commits = new();
    private readonly AlarmSilo _silo;
    private readonly AlarmWatch _watch;

    public AlarmWatchTests()
    {
        _silo = new AlarmSilo(1, _time, Options);
        _watch = new AlarmWatch(
            _silo.Service, Options, _silo.Store, _commits, [], _silo, _silo.Statuses, _time, NullLogger<AlarmWatch>.Instance);
        _silo.Statuses.SubscribeToSiloStatusEvents(_watch);
    }

    [Fact]
    public void Store_whose_commits_are_slow_for_a_while_is_an_alarm_that_ends_when_they_are_fast_again()
    {
        _watch.Begin();
        Pass(30, commit: TimeSpan.FromSeconds(2));
        Assert.Empty(_silo.Raised);

        Pass(1, commit: TimeSpan.FromSeconds(2));
        Assert.Equal([$"store_slow/{_silo.Name}"], _silo.Raised);
        Assert.Contains("2.00 s", Assert.Single(_silo.Service.Raised()).Summary, StringComparison.Ordinal);

        Pass(29, commit: TimeSpan.FromMilliseconds(2));
        Assert.Single(_silo.Raised);
        Pass(1, commit: TimeSpan.FromMilliseconds(2));
        Assert.Empty(_silo.Raised);
    }

    [Fact]
    public void Silo_that_leaves_in_order_is_an_alarm_until_one_of_its_name_is_there()
    {
        var other = AlarmSilo.AddressOf(2);
        _silo.Statuses.Set(other, SiloStatus.Active);
        _watch.Begin();
        Leave(other);
        Assert.Equal([$"silo_left/{other}"], Gone());

        _silo.Statuses.Set(other, SiloStatus.Active);
        Pass(1);

        Assert.Empty(Gone());
    }

    [Fact]
    public void Silos_that_leave_are_not_missed_when_as_many_of_other_names_are_there()
    {
        var (second, third) = (AlarmSilo.AddressOf(2), AlarmSilo.AddressOf(3));
        _silo.Statuses.Set(second, SiloStatus.Active);
        _silo.Statuses.Set(third, SiloStatus.Active);
        _watch.Begin();
        Leave(second);
        Leave(third);
        Assert.Equal([$"silo_left/{second}", $"silo_left/{third}"], Gone());

        _silo.Statuses.Set(AlarmSilo.AddressOf(4), SiloStatus.Active);
        Pass(1);
        Assert.Equal([$"silo_left/{second}"], Gone());

        _silo.Statuses.Set(AlarmSilo.AddressOf(5), SiloStatus.Active);
        Pass(1);
        Assert.Empty(Gone());
    }

    [Fact]
    public void Silo_that_dies_is_lost_and_has_not_left()
    {
        var other = AlarmSilo.AddressOf(2);
        _silo.Statuses.Set(other, SiloStatus.Active);
        _watch.Begin();
        _silo.Statuses.Set(other, SiloStatus.Dead);
        Pass(1);

        Assert.Equal([$"silo_lost/{other}"], Gone());

        // One of another name is nobody that was waited for.
        _silo.Statuses.Set(AlarmSilo.AddressOf(3), SiloStatus.Active);
        Pass(1);
        Assert.Equal([$"silo_lost/{other}"], Gone());
    }

    [Fact]
    public void Silo_that_comes_to_others_says_so_for_a_minute_and_the_first_one_does_not()
    {
        _watch.Begin();
        Assert.Empty(_silo.Raised);

        _silo.Statuses.Set(AlarmSilo.AddressOf(2), SiloStatus.Active);
        _watch.Begin();
        Assert.Equal([$"silo_joined/{_silo.Name}"], _silo.Raised);
        Pass(59);
        Assert.Single(_silo.Raised);
        Pass(1);

        Assert.Empty(_silo.Raised);
    }

    public void Dispose()
    {
        _watch.Dispose();
        _silo.Dispose();
        _commits.Dispose();
    }

    private void Leave(SiloAddress silo)
    {
        _silo.Statuses.Set(silo, SiloStatus.ShuttingDown);
        Pass(1);
        _silo.Statuses.Set(silo, SiloStatus.Dead);
        Pass(1);
    }

    private List<string> Gone() => [.. _silo.Raised
        .Where(static id => id.StartsWith("silo_l", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private void Pass(int seconds, TimeSpan? commit = null)
    {
        for (; seconds > 0; seconds--)
        {
            _time.Pass(TimeSpan.FromSeconds(1));
            if (commit is { } duration)
            {
                _commits.Committed(1, 1, duration);
            }

            _watch.Look(TimeSpan.Zero);
        }
    }
}
