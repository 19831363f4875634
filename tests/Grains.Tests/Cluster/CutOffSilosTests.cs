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
        await silos.SeenAsync(Set(One));
        _time.Pass(Limit - Moment);
        await silos.SeenAsync(Set(One, Other));
        Assert.Empty(_membership.Killed);

        _time.Pass(Moment);
        await silos.SeenAsync(Set(One, Other));
        Assert.Equal([One], _membership.Killed);
    }

    [Fact]
    public async Task Silo_that_was_in_its_time_meanwhile_counts_anew()
    {
        var silos = New(Limit);
        await silos.SeenAsync(Set(One));
        _time.Pass(Limit - Moment);
        await silos.SeenAsync(Set());
        await silos.SeenAsync(Set(One));
        _time.Pass(Limit - Moment);
        await silos.SeenAsync(Set(One));
        Assert.Empty(_membership.Killed);

        _time.Pass(Moment);
        await silos.SeenAsync(Set(One));
        Assert.Equal([One], _membership.Killed);
    }

    [Fact]
    public async Task All_count_anew_after_a_look_that_failed()
    {
        var silos = New(Limit);
        await silos.SeenAsync(Set(One));
        silos.NotSeen();
        _time.Pass(Limit);
        await silos.SeenAsync(Set(One));
        Assert.Empty(_membership.Killed);

        _time.Pass(Limit);
        await silos.SeenAsync(Set(One));
        Assert.Equal([One], _membership.Killed);
    }

    [Fact]
    public async Task Nobody_is_given_up_by_a_silo_that_was_out_of_its_own_time_meanwhile()
    {
        var silos = New(Limit);
        await silos.SeenAsync(Set(One));
        _time.Pass(Limit);
        _inTimeFor = Limit - Moment;
        await silos.SeenAsync(Set(One));
        Assert.Empty(_membership.Killed);

        _inTimeFor = Limit;
        await silos.SeenAsync(Set(One));
        Assert.Equal([One], _membership.Killed);
    }

    [Fact]
    public async Task Nobody_is_given_up_when_the_time_is_zero()
    {
        var silos = New(TimeSpan.Zero);
        await silos.SeenAsync(Set(One));
        _time.Pass(TimeSpan.FromDays(1));
        await silos.SeenAsync(Set(One));
        Assert.Empty(_membership.Killed);
    }

    private static HashSet<SiloAddress> Set(params SiloAddress[] silos) => [.. silos];

    private CutOffSilos New(TimeSpan giveUpAfter) => new(
        _membership,
        new ClusterStoreOptions { ConnectionString = "", Cluster = "test", GiveUpAfter = giveUpAfter },
        () => _inTimeFor,
        _time,
        NullLogger<CutOffSilos>.Instance);
}
