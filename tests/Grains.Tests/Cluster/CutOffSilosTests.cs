using System.Net;
using Broker.Grains.Cluster;
using Broker.Grains.Tests.Alarms;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

/// <summary>When a silo that cannot reach the database is given up by one that can.</summary>
public sealed class CutOffSilosTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan SiloTime = new ClusterStoreOptions { ConnectionString = "", Cluster = "" }.SiloTime;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);
    private static readonly SiloAddress One = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress Other = SiloAddress.New(IPAddress.Loopback, 2, 2);

    private readonly Killer _membership = new();
    private readonly ManualTime _time = new();
    private TimeSpan _inTimeFor = TimeSpan.MaxValue;

    [Fact]
    public async Task Silo_that_was_out_of_its_time_in_every_look_is_declared_dead_when_the_time_is_over_and_not_before()
    {
        var silos = New(Limit);
        await PassAsync(silos, Limit - Moment, One);
        await silos.SeenAsync(Set(One, Other));
        Assert.Empty(_membership.Killed);

        await PassAsync(silos, Moment, One, Other);
        Assert.Equal([One], _membership.Killed);
    }

    [Fact]
    public async Task Silo_that_was_in_its_time_meanwhile_counts_anew()
    {
        var silos = New(Limit);
        await PassAsync(silos, Limit - Moment, One);
        await silos.SeenAsync(Set());
        await PassAsync(silos, Limit - Moment, One);
        Assert.Empty(_membership.Killed);

        await PassAsync(silos, Moment, One);
        Assert.Equal([One], _membership.Killed);
    }

    [Fact]
    public async Task All_count_anew_after_a_look_that_failed()
    {
        var silos = New(Limit);
        await PassAsync(silos, Limit - Moment, One);
        silos.NotSeen();
        await PassAsync(silos, Limit - Moment, One);
        Assert.Empty(_membership.Killed);

        await PassAsync(silos, Moment, One);
        Assert.Equal([One], _membership.Killed);
    }

    [Fact]
    public async Task Nobody_is_given_up_by_a_silo_that_was_out_of_its_own_time_meanwhile()
    {
        var silos = New(Limit);
        _inTimeFor = Limit - Moment;
        await PassAsync(silos, Limit, One);
        Assert.Empty(_membership.Killed);

        _inTimeFor = Limit;
        await silos.SeenAsync(Set(One));
        Assert.Equal([One], _membership.Killed);
    }

    [Fact]
    public async Task Nobody_is_given_up_when_the_time_is_zero()
    {
        var silos = New(TimeSpan.Zero);
        await PassAsync(silos, 2 * Limit, One);
        Assert.Empty(_membership.Killed);
    }

    [Fact]
    public async Task All_count_anew_after_a_look_that_took_longer_than_a_silo_may_be_in_its_time()
    {
        var silos = New(Limit);
        await PassAsync(silos, Limit - Moment, One);
        _time.Pass(SiloTime + Moment);
        await silos.SeenAsync(Set(One));
        Assert.Empty(_membership.Killed);

        await PassAsync(silos, Limit - Moment, One);
        Assert.Empty(_membership.Killed);
        await PassAsync(silos, Moment, One);
        Assert.Equal([One], _membership.Killed);
    }

    [Fact]
    public async Task The_membership_is_asked_again_after_a_second_as_long_as_nothing_comes_of_it()
    {
        var silos = New(Limit);
        await PassAsync(silos, Limit, One);
        await PassAsync(silos, TimeSpan.FromSeconds(1) - Moment, One);
        Assert.Equal([One], _membership.Killed);

        await PassAsync(silos, Moment, One);
        Assert.Equal([One, One], _membership.Killed);
    }

    /// <summary>Looks often enough for the whole time; the last look is at its end.</summary>
    private async Task PassAsync(CutOffSilos silos, TimeSpan span, params SiloAddress[] undecided)
    {
        await silos.SeenAsync(Set(undecided));
        for (var left = span; left > TimeSpan.Zero; left -= SiloTime)
        {
            _time.Pass(left < SiloTime ? left : SiloTime);
            await silos.SeenAsync(Set(undecided));
        }
    }

    private static HashSet<SiloAddress> Set(params SiloAddress[] silos) => [.. silos];

    private CutOffSilos New(TimeSpan giveUpAfter) => new(
        _membership,
        new ClusterStoreOptions { ConnectionString = "", Cluster = "test", GiveUpAfter = giveUpAfter },
        () => _inTimeFor,
        _time,
        NullLogger<CutOffSilos>.Instance);
}
