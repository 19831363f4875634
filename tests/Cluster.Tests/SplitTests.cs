namespace Broker.Cluster.Tests;

/// <summary>Two silos that reach the database and not each other: neither has a majority, and one of them goes on.</summary>
public sealed class SplitTests(ITestOutputHelper output) : PartitionTest(output, silos: 2)
{
    [PartitionFact]
    public Task One_and_one_for_5_s() => SplitAsync(1, 5);

    [PartitionFact(IsLong = true)]
    public Task One_and_one_for_30_s() => SplitAsync(2, 30);

    [PartitionFact(IsLong = true)]
    public Task One_and_one_for_120_s() => SplitAsync(1, 120);

    private Task SplitAsync(int qos, int seconds) => RunAsync("1 | 1", qos, seconds, async (time, _) =>
    {
        await Network.CutAsync(Network.Silos[0], Network.Silos[1]);
        await Task.Delay(time);
    });
}
