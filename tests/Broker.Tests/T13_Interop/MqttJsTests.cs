namespace Broker.Tests.T13_Interop;

/// <summary>MQTT.js on Node; the scenarios are in <c>js/interop.mjs</c>.</summary>
public sealed class MqttJsTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [ProgramTheory("node", "nodejs npm")]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Mqtt_js_publishes_subscribes_retains_resumes_and_leaves_a_will(int version)
    {
        var script = Path.Combine(RepositoryPaths.Root, "tests", "Broker.Tests", "js", "interop.mjs");

        var printed = await ExternalProgram.RunAsync("node", script, $"{Broker.Port}", $"{version}");

        Assert.Equal(7, printed.Split('\n').Count(line => line.StartsWith("pass ", StringComparison.Ordinal)));
    }
}
