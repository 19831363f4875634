namespace Broker.Tests.T16_Startup;

public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [OwnFact]
    public async Task Help_names_the_options_and_exits_0()
    {
        var run = await BrokerCommand.RunAsync(null, "--help");

        Assert.Equal(0, run.ExitCode);
        Assert.All(["--data", "--mqtt", "--http", "--version"], option => Assert.Contains(option, run.Output, StringComparison.Ordinal));
    }

    [OwnFact]
    public async Task Version_is_printed_and_exits_0()
    {
        var run = await BrokerCommand.RunAsync(null, "--version");

        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"\d+\.\d+\.\d+", run.Output);
    }

    [OwnTheory]
    [InlineData("Session:MaxInflight", "0")]
    [InlineData("Session:MaxInflight", "many")]
    [InlineData("Limits:MaxPacketSize", "3")]
    [InlineData("Session:SessionExpiry", "soon")]
    [InlineData("Store:Synchronous", "Perhaps")]
    public async Task Wrong_value_is_refused_with_key_and_value(string key, string value)
    {
        var run = await RunAsync(new() { [key] = value });

        run.AssertRefused(InEnvironment(key), value);
    }

    [OwnFact]
    public async Task Wrong_number_is_refused_with_the_allowed_range()
    {
        var run = await RunAsync(new() { ["Session:MaxInflight"] = "70000" });

        run.AssertRefused(InEnvironment("Session:MaxInflight"), "70000", "65535");
    }

    [OwnTheory]
    [InlineData("Sessions:MaxInflight")]
    [InlineData("Session:MaxInflght")]
    [InlineData("Nonsense")]
    [InlineData("Listeners:Mqtt:N:Address")]
    public async Task Unknown_key_is_named(string key)
    {
        var run = await RunAsync(new() { [key] = "1" });

        run.AssertRefused(InEnvironment(key));
    }

    [OwnTheory]
    [InlineData("--nonsense")]
    [InlineData("--mqtt=notaport")]
    [InlineData("--mqtt=70000")]
    public async Task Wrong_option_is_named(string option)
    {
        var run = await BrokerCommand.RunAsync(null, "--data", _folder.Path, "--http", "0", option);

        run.AssertRefused(option.Split('=')[^1].TrimStart('-'));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Keys are named as they were given, and the tests give them in the environment.</summary>
    private static string InEnvironment(string key) => "Broker__" + key.Replace(":", "__", StringComparison.Ordinal);

    private Task<BrokerCommand> RunAsync(Dictionary<string, string> settings) =>
        BrokerCommand.RunAsync(settings, "--data", _folder.Path, "--mqtt", "0", "--http", "0");
}
