using System.Net;
using Broker.Grains.Cluster;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

public sealed class LinkWatchTests
{
    [Theory]
    [InlineData(2, 10, 1, 20, true)]
    [InlineData(1, 20, 2, 10, false)]
    [InlineData(1, 20, 1, 10, true)]
    [InlineData(1, 10, 1, 20, false)]
    public void The_one_that_reaches_fewer_leaves_else_the_younger(int own, int ownGeneration, int other, int otherGeneration, bool leaves) =>
        Assert.Equal(leaves, LinkWatch.Leaves((own, Silo(1, ownGeneration)), (other, Silo(2, otherGeneration))));

    [Fact]
    public void Exactly_one_of_two_that_were_started_in_the_same_second_leaves() =>
        Assert.NotEqual(LinkWatch.Leaves((1, Silo(1, 7)), (1, Silo(2, 7))), LinkWatch.Leaves((1, Silo(2, 7)), (1, Silo(1, 7))));

    private static SiloAddress Silo(int host, int generation) =>
        SiloAddress.New(new IPEndPoint(new IPAddress([10, 0, 0, (byte)host]), 11111), generation);
}
