using Broker.Gateway.Connections;

namespace Broker.Gateway.Tests.Connections;

/// <summary>How fast a stopping broker closes its connections.</summary>
public sealed class DrainPaceTests
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    [Fact]
    public void Connections_are_closed_at_the_rate_as_long_as_the_time_suffices() =>
        Assert.Equal(2.0, SecondsFor(connections: 1000, rate: 500, TimeSpan.FromSeconds(17)), 0.1);

    [Fact]
    public void Ten_thousand_connections_fit_the_time_whatever_the_rate() =>
        Assert.InRange(SecondsFor(connections: 10_000, rate: 100, TimeSpan.FromSeconds(17)), 15, 17.1);

    [Fact]
    public void While_other_silos_are_behind_connections_are_closed_no_faster_than_the_time_demands() =>
        Assert.InRange(SecondsFor(connections: 1000, rate: 500, TimeSpan.FromSeconds(17), isCongested: true), 16.8, 17.1);

    [Fact]
    public void Rate_0_closes_all_at_once() =>
        Assert.Equal(5000, new DrainPace(0, TimeSpan.FromSeconds(17)).Due(5000, TimeSpan.Zero));

    [Fact]
    public void Whatever_is_left_goes_when_the_time_is_over() =>
        Assert.Equal(5000, new DrainPace(1, TimeSpan.FromSeconds(1)).Due(5000, TimeSpan.FromSeconds(1)));

    [Fact]
    public void Fractions_of_a_connection_add_up() =>
        Assert.Equal(5.0, SecondsFor(connections: 5, rate: 1, TimeSpan.FromSeconds(60)), 0.1);

    private static double SecondsFor(int connections, int rate, TimeSpan time, bool isCongested = false)
    {
        var pace = new DrainPace(rate, time);
        for (var elapsed = TimeSpan.Zero; ; elapsed += Look)
        {
            connections -= pace.Due(connections, elapsed, isCongested);
            if (connections == 0)
            {
                return elapsed.TotalSeconds;
            }
        }
    }
}
