using System.Text.Json;

namespace Broker.Deploy.Tests;

/// <summary>The settings of the runtime come with the program, however it is started.</summary>
public sealed class RuntimeSettingsTests
{
    [Theory]
    [InlineData("System.Threading.ThreadPool.UnfairSemaphoreSpinLimit", "0")]
    [InlineData("System.GC.Server", "False")]
    [InlineData("System.GC.Concurrent", "True")]
    [InlineData("System.GC.HeapHardLimitPercent", "75")]
    [InlineData("System.Runtime.TieredCompilation.CallCountThreshold", "512")]
    public void The_programs_own_runtime_configuration_has_it(string name, string value)
    {
        var path = Path.ChangeExtension(RepositoryPaths.BrokerProgram, "runtimeconfig.json");
        using var file = JsonDocument.Parse(File.ReadAllText(path));

        var property = file.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties").GetProperty(name);

        Assert.Equal(value, property.ToString());
    }
}
