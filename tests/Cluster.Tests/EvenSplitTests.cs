namespace Broker.Cluster.Tests;

/// <summary>Four silos in two halves that do not reach each other.</summary>
public sealed class EvenSplitTests(ITestOutputHelper output) : PartitionTest(output, silos: 4)
{
    [PartitionFact(IsLong = true)]
    public Task Two_and_two_that_reach_the_database_for_30_s() => RunAsync("2 | 2", 1, 30, async (time, _) =>
    {
        await Network.CutAsync(Network.Silos.Take(2), Network.Silos.Skip(2));
        await Task.Delay(time);
    });

    [PartitionFact(IsLong = true)]
    public Task Two_and_two_of_which_one_half_reaches_the_database_for_30_s() => RunAsync("2 + database | 2", 2, 30, async (time, _) =>
    {
        await Network.CutAsync(Network.Silos.Take(2), Network.Silos.Skip(2).Append(Network.Database));
        await Task.Delay(time);
    });
}
