using System.Net;
using Broker.Grains.Cluster;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

/// <summary>When messages of a silo may reach sessions that were a dead silo's.</summary>
public sealed class AdoptionTests
{
    private static readonly SiloAddress Dead = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress First = SiloAddress.New(IPAddress.Loopback, 2, 1);
    private static readonly SiloAddress Second = SiloAddress.New(IPAddress.Loopback, 3, 1);
    private static readonly SiloAddress Later = SiloAddress.New(IPAddress.Loopback, 4, 1);

    [Fact]
    public void A_silo_is_admitted_once_it_has_settled_the_dead_one_and_one_that_came_later_at_once()
    {
        var adoption = new Adoption(Dead, [First, Second]);
        Assert.False(adoption.Admits(First));
        Assert.True(adoption.Admits(Later));

        adoption.Settled(First);
        Assert.True(adoption.Admits(First));
        Assert.False(adoption.Admits(Second));
        Assert.False(adoption.IsOver);

        adoption.Settled(Second);
        Assert.True(adoption.IsOver);
    }
}
