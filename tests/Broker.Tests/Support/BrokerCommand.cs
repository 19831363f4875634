using System.Diagnostics;

namespace Broker.Tests.Support;

/// <summary>Runs the program to its end and keeps what it said.</summary>
internal sealed record BrokerCommand(int ExitCode, string Output)
{
    // 30 s: a start on a loaded machine; a program that refuses to start is gone much sooner.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static Task<BrokerCommand> RunAsync(IReadOnlyDictionary<string, string>? settings, params string[] arguments) =>
        RunWithInputAsync("", settings, arguments);

    /// <summary>The same, with something for the program to read.</summary>
    public static async Task<BrokerCommand> RunWithInputAsync(
        string input, IReadOnlyDictionary<string, string>? settings, params string[] arguments)
    {
        var command = BrokerProcess.CommandFor(arguments, settings ?? new Dictionary<string, string>());
        command.RedirectStandardOutput = true;
        command.RedirectStandardError = true;
        command.RedirectStandardInput = true;
        using var process = new Process { StartInfo = command };
        var output = new ServerOutput();
        output.Attach(process);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync().WithinAsync(Limit, () => $"the broker did not end:\n{output.Text}");
            return new BrokerCommand(process.ExitCode, output.Text);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    /// <summary>Refused with a non-zero exit code and one clear line that has all these words.</summary>
    public void AssertRefused(params string[] words)
    {
        Assert.NotEqual(0, ExitCode);
        Assert.Contains(
            Output.Split('\n'),
            line => words.All(word => line.Contains(word, StringComparison.OrdinalIgnoreCase)));
        Assert.DoesNotContain("   at ", Output, StringComparison.Ordinal);
    }
}
