using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Broker.Tests.Support;

/// <summary>Runs the program to its end and keeps what it said.</summary>
internal sealed partial record BrokerCommand(int ExitCode, string Output)
{
    private const string Mark = "broker: ";

    // 30 s: a start on a loaded machine; a program that refuses to start is gone much sooner.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static Task<BrokerCommand> RunAsync(IReadOnlyDictionary<string, string>? settings, params string[] arguments) =>
        RunWithInputAsync("", settings, arguments);

    /// <summary>The same, with something for the program to read.</summary>
    public static Task<BrokerCommand> RunWithInputAsync(
        string input, IReadOnlyDictionary<string, string>? settings, params string[] arguments) =>
        RunAsync(input, BrokerProcess.CommandFor(arguments, settings ?? new Dictionary<string, string>()));

    /// <summary>The same as somebody who may not do everything, see <see cref="Rights"/>.</summary>
    public static Task<BrokerCommand> RunWithoutRightsAsync(params string[] arguments) =>
        RunAsync("", BrokerProcess.Behind(Rights.Without, BrokerProcess.CommandFor(arguments, new Dictionary<string, string>())));

    /// <summary>
    /// Refused with a non-zero exit code and one line to the operator, which has all these words. What was logged on the way there is
    /// no second one: information and warnings of a start that went well so far.
    /// </summary>
    public void AssertRefused(params string[] words)
    {
        Assert.NotEqual(0, ExitCode);
        var lines = Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var line = Assert.Single(lines, static line => line.StartsWith(Mark, StringComparison.Ordinal));
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.OrdinalIgnoreCase));
        Assert.All(lines.Where(other => other != line), static other => Assert.Matches(HarmlessLog(), other));
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d \S+ (INFO|WARN) ")]
    private static partial Regex HarmlessLog();

    private static async Task<BrokerCommand> RunAsync(string input, ProcessStartInfo command)
    {
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
}
