namespace Broker.Tests.T13_Interop;

/// <summary>Eclipse Paho for Python; the scenarios are in <c>python/interop.py</c>.</summary>
public sealed class PahoTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [PahoTheory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Paho_publishes_subscribes_retains_resumes_and_leaves_a_will(int version)
    {
        var script = Path.Combine(RepositoryPaths.Root, "tests", "Broker.Tests", "python", "interop.py");

        var printed = await ExternalProgram.RunAsync(PahoTheoryAttribute.Python, script, $"{Broker.Port}", $"{version}");

        Assert.Equal(6, printed.Split('\n').Count(line => line.StartsWith("pass ", StringComparison.Ordinal)));
    }
}
