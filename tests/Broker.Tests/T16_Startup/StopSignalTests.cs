namespace Broker.Tests.T16_Startup;

/// <summary>Both ways in which people stop it: a supervisor's SIGTERM and Ctrl-C.</summary>
public sealed class StopSignalTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    [OwnTheory]
    [InlineData("SIGTERM")]
    [InlineData("SIGINT")]
    public async Task Signal_ends_the_broker_with_exit_code_0(string signal)
    {
        // Shells start what is in the background with SIGINT ignored, and a broker that was started so has to ignore it.
        await using var broker = new BrokerProcess { Launcher = ["env", "--default-signal=INT"] };
        await broker.StartAsync();
        await using var client = await ScriptedClient.ConnectAsync(broker.Mqtt);

        var code = await (signal == "SIGINT" ? broker.InterruptAsync(Limit) : broker.TerminateAsync(Limit));

        Assert.Equal(0, code);
        await client.ExpectDisconnectAsync(ReasonCode.ServerShuttingDown);
        Assert.Matches(@"(?m)^stopped in \d+ ms$", broker.Output.Text);
    }
}
