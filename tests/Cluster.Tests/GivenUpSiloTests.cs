namespace Broker.Cluster.Tests;

/// <summary>A silo that alone of all cannot reach the database, for longer than the others wait for it.</summary>
public sealed class GivenUpSiloTests(ITestOutputHelper output) : PartitionTest(output)
{
    // The shortest there is.
    private const int Seconds = 10;

    protected override IReadOnlyDictionary<string, string> Settings =>
        new Dictionary<string, string> { ["Cluster:GiveUpAfter"] = $"{Seconds}s" };

    [PartitionFact(IsLong = true)]
    public async Task Its_sessions_are_taken_over_and_acknowledged_while_it_is_cut_off_and_it_begins_again()
    {
        await RunAsync("given up", qos: 2, Seconds, async (_, workload) =>
        {
            await Network.CutAsync(Network.Silos[2], Network.Database);
            await Eventually.TrueAsync(
                () => Cluster.Silos.Take(2).Any(static silo => silo.Output.Text.Contains("has not reached the database for", StringComparison.Ordinal)),
                Recovery,
                () => $"the silo is given up\n{Cluster.Log}");
            await workload.ProgressAsync(200, Recovery);
        });

        Assert.Equal([false, false, true], Cluster.Silos.Select(static silo => silo.Output.Text.Contains("begins again", StringComparison.Ordinal)));
    }
}
