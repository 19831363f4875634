using Broker.Grains.Cluster;
using CsCheck;
using Xunit;

namespace Broker.Grains.Tests.Cluster;

/// <summary>What a silo gives to others when connections are to be balanced.</summary>
public sealed class ConnectionBalanceTests
{
    [Theory]
    [InlineData(300, new[] { 300, 0, 0 }, 0.1, 150)]
    [InlineData(300, new[] { 300 }, 0.1, 0)]
    [InlineData(105, new[] { 95 }, 0.1, 0)]
    [InlineData(111, new[] { 89 }, 0.1, 11)]
    [InlineData(101, new[] { 99 }, 0, 1)]
    [InlineData(5, new int[0], 0, 0)]
    [InlineData(0, new[] { 10, 10 }, 0, 0)]
    [InlineData(1, new[] { 0 }, 0, 0)]
    public void What_is_above_the_average_is_given_when_it_is_enough(int own, int[] others, double tolerance, int expected) =>
        Assert.Equal(expected, ConnectionBalance.Surplus(own, others, tolerance));

    [Fact]
    public void Nobody_falls_below_the_average_and_the_others_are_not_given_more_than_they_lack() =>
        Gen.Int[0, 100_000].Array[1, 8].Sample(counts =>
        {
            var average = counts.Average();
            var given = counts.Select((own, i) => ConnectionBalance.Surplus(own, [.. counts.Where((_, j) => j != i)], 0.1)).ToList();
            for (var i = 0; i < counts.Length; i++)
            {
                Assert.True(given[i] == 0 || counts[i] - given[i] >= average);
            }

            Assert.True(given.Sum() <= counts.Sum(own => Math.Max(0, average - own)) + counts.Length);
        });
}
