namespace Broker.Tests.Support;

/// <summary>A closed broker with the users alice and bob, whose passwords are <c>NAME's secret</c>, and a short time for CONNECT.</summary>
public sealed class ScramBroker : IAsyncLifetime
{
    // The least that RFC 7677 allows: the work is the test's own.
    private const string Iterations = "4096";

    public BrokerServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (SharedBroker.External is not null)
        {
            return;
        }

        Server = await BrokerServer.StartAsync(
            ("Auth:AllowAnonymous", "false"), ("Auth:ScramIterations", Iterations), ("Limits:ConnectTimeout", "2s"));
        foreach (var name in (string[])["alice", "bob"])
        {
            var added = await BrokerCommand.RunWithInputAsync(
                $"{name}'s secret\n", null, "user", "add", name, "--data", Server.DataDirectory, $"--Broker:Auth:ScramIterations={Iterations}");
            Assert.True(added.ExitCode == 0, added.Output);
        }
    }

    public async Task DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }
    }
}
