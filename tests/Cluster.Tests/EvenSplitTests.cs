namespace Broker.Cluster.Tests;

/// <summary>Four silos in two halves that do not reach each other.</summary>
public sealed class EvenSplitTests(ITestOutputHelper output) : PartitionTest(output, silos: 4)
{
    [PartitionFact(IsLong = true)]
    public Task Two_and_two_that_reach_the_database_for_5_s() => HalvesAsync(2, 5);

    [PartitionFact(IsLong = true)]
    public Task Two_and_two_that_reach_the_database_for_30_s() => HalvesAsync(1, 30);

    [PartitionFact(IsLong = true)]
    public Task Two_and_two_of_which_one_half_reaches_the_database_for_30_s() => OneHalfAsync(2, 30);

    [PartitionFact(IsLong = true)]
    public Task Two_and_two_of_which_one_half_reaches_the_database_for_120_s() => OneHalfAsync(1, 120);

    private Task HalvesAsync(int qos, int seconds) => RunAsync("2 | 2", qos, seconds, async (time, _) =>
    {
        await Network.CutAsync(Network.Silos.Take(2), Network.Silos.Skip(2));
        await Task.Delay(time);
    });

    private Task OneHalfAsync(int qos, int seconds) => RunAsync("2 + database | 2", qos, seconds, async (time, _) =>
    {
        await Network.CutAsync(Network.Silos.Take(2), Network.Silos.Skip(2).Append(Network.Database));
        await Task.Delay(time);
    });
}
