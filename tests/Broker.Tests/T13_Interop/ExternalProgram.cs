using System.Diagnostics;

namespace Broker.Tests.T13_Interop;

/// <summary>A client program of somebody else: started by the test, stopped with it.</summary>
internal sealed class ExternalProgram : IAsyncDisposable
{
    // 60 s: an interpreter that starts while both cores are busy.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private ExternalProgram(Process process) => _process = process;

    public ServerOutput Output { get; } = new();

    public static ExternalProgram Start(string program, params string[] arguments)
    {
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        var started = new ExternalProgram(process);
        started.Output.Attach(process);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return started;
    }

    /// <summary>Runs to the end and returns what it printed; fails when the exit code is not 0.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        await using var started = Start(program, arguments);
        var code = await started.ExitAsync();
        return code == 0
            ? started.Output.Text
            : throw new TestFailureException($"{program} {string.Join(' ', arguments)} exited with {code}:\n{started.Output.Text}");
    }

    /// <summary>Where a program is on the search path; null when it is nowhere.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WithinAsync(
            Limit, () => $"{_process.StartInfo.FileName} did not end, it printed:\n{Output.Text}");
        return _process.ExitCode;
    }

    /// <summary>Waits for the Nth line in all that was printed so far and will be.</summary>
    public Task LinesAsync(int count) => Eventually.TrueAsync(
        () => Output.Text.Count(letter => letter == '\n') >= count,
        Limit,
        () => $"{count} lines from {_process.StartInfo.FileName}, it printed:\n{Output.Text}");

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }
}
