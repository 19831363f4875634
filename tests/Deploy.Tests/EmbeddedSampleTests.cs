using System.IO.Compression;
using Broker.Protocol;
using Broker.TestKit.Clients;

namespace Broker.Deploy.Tests;

/// <summary>What docs/embedding.md says to somebody who has the packages: samples/Embedded, built against them and run.</summary>
public sealed class EmbeddedSampleTests
{
    [Fact]
    public async Task Sample_built_against_the_packed_packages_runs_a_broker_with_hook_subscriber_and_publisher()
    {
        await using var sample = new PackedSample();
        await sample.BuildAsync();
        Assert.Equal(4, Directory.GetFiles(sample.Packages).Length);
        AssertNothingOfTheProgram(Directory.GetFiles(sample.Packages, "Broker.Gateway.*").Single());
        await sample.StartAsync();
        await using (var subscriber = await ScriptedClient.ConnectAsync(sample.Mqtt))
        await using (var publisher = await ScriptedClient.ConnectAsync(sample.Mqtt))
        {
            await subscriber.SubscribeAsync("out/#", 1);

            var answer = await publisher.PublishAsync("in/hall", "light", 1);

            Assert.Equal(ReasonCode.Success, answer!.Reason);
            await subscriber.ExpectPublishAsync("out/in/hall", "LIGHT");
        }

        using (var http = new HttpClient())
        {
            Assert.Equal($"MQTT at {sample.Mqtt}, ready: True\n", await http.GetStringAsync(sample.Application));
        }

        Assert.Equal(0, await sample.TerminateAsync());
        await sample.StartAsync();

        Assert.Contains("Subscribed; resumed: True", sample.Output.Text, StringComparison.Ordinal);
        Assert.Equal(0, await sample.TerminateAsync());
    }

    // Its settings, its runtime's settings and its executable are not for applications.
    private static void AssertNothingOfTheProgram(string package)
    {
        using var content = ZipFile.OpenRead(package);
        Assert.Equal(
            ["Broker.Gateway.dll", "Broker.Gateway.xml"],
            content.Entries.Where(static e => e.FullName.StartsWith("lib/", StringComparison.Ordinal)).Select(static e => e.Name).Order());
        Assert.DoesNotContain(content.Entries, static e => e.FullName.StartsWith("content", StringComparison.Ordinal));
    }
}
