using System.Diagnostics;
using System.Net;

namespace Broker.TestKit.Servers;

/// <summary>A broker as a process of its own, with a data folder that outlives the process and goes with this object.</summary>
public abstract class BrokerServer : IAsyncDisposable
{
    // 90 s: a loaded machine that starts several runtimes at once; the promise of a quick start has its own test.
    protected static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);

    // 10 s: somebody else's short connection that was given the port while the broker was down.
    private static readonly TimeSpan PortLimit = TimeSpan.FromSeconds(10);

    private static readonly HashSet<Process> Running = [];

    private readonly TemporaryFolder _folder = new();
    private Process? _process;

    static BrokerServer() => AppDomain.CurrentDomain.ProcessExit += (_, _) => KillAll();

    protected BrokerServer() => DataDirectory = Path.Combine(_folder.Path, "data");

    /// <summary>BROKER_TEST_SERVER=mosquitto runs the tests against it, to check the tests themselves.</summary>
    public static bool IsMosquitto => Environment.GetEnvironmentVariable("BROKER_TEST_SERVER") == "mosquitto";

    public string DataDirectory { get; }

    /// <summary>Where MQTT clients connect; stays the same over restarts.</summary>
    public IPEndPoint Mqtt { get; protected set; } = null!;

    /// <summary>Configuration keys without the leading <c>Broker:</c>, for example <c>Session:MaxQueued</c>.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    public ServerOutput Output { get; private set; } = new();

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Stays the same when the broker replaces itself.</summary>
    public int ProcessId => Process.Id;

    public long ResidentBytes => Refreshed().WorkingSet64;

    public TimeSpan ProcessorTime => Refreshed().TotalProcessorTime;

    protected string Folder => _folder.Path;

    private bool IsPortTaken => Output.Text.Split('\n').Any(static line =>
        (line.Contains(" port ", StringComparison.Ordinal) && line.Contains(" is in use", StringComparison.Ordinal))
        || line.Contains("address already in use", StringComparison.OrdinalIgnoreCase));

    private Process Process => _process ?? throw new InvalidOperationException("the broker was not started");

    /// <summary>Starts the broker under test and waits until it is ready.</summary>
    public static async Task<BrokerServer> StartAsync(params (string Key, string Value)[] settings)
    {
        var values = settings.ToDictionary(pair => pair.Key, pair => pair.Value);
        BrokerServer server = IsMosquitto
            ? new MosquittoProcess { Settings = values }
            : new BrokerProcess { Settings = values };
        try
        {
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the process, again on the same folder and ports after the first time.</summary>
    /// <remarks>Tried again for a while when somebody else has a port that it had before.</remarks>
    public async Task StartAsync()
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await StartOnceAsync();
                return;
            }
            catch (TestFailureException) when (!IsRunning && IsPortTaken && MayStartAgain(clock.Elapsed))
            {
                Forget();
                await Task.Delay(TimeSpan.FromMilliseconds(200));
            }
        }
    }

    /// <summary>SIGKILL: the process has no chance to write anything.</summary>
    public async Task KillAsync()
    {
        Process.Kill();
        await Process.WaitForExitAsync();
        Forget();
    }

    public async Task RestartAsync()
    {
        await KillAsync();
        await StartAsync();
    }

    /// <summary>SIGTERM; returns the exit code.</summary>
    public Task<int> TerminateAsync(TimeSpan? limit = null) => StopAsync(ProcessSignals.Terminate, limit);

    /// <summary>SIGINT, which is Ctrl-C; returns the exit code.</summary>
    public Task<int> InterruptAsync(TimeSpan? limit = null) => StopAsync(ProcessSignals.Interrupt, limit);

    /// <summary>SIGSTOP: the process keeps its connections and does nothing.</summary>
    public void Suspend()
    {
        Process.Signal(ProcessSignals.Stop);
        Process.WaitUntilStopped();
    }

    /// <summary>SIGCONT.</summary>
    public void Continue() => Process.Signal(ProcessSignals.Continue);

    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            await KillAsync();
        }

        Forget();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The command line, with the ports of the previous run if there was one.</summary>
    protected abstract ProcessStartInfo Command();

    /// <summary>Completes when clients can connect; called before the process starts.</summary>
    protected abstract Task ReadyAsync();

    /// <summary>Whether a start that failed over a port that is taken is worth another one, so long after the first.</summary>
    protected virtual bool MayStartAgain(TimeSpan elapsed) => Mqtt is not null && elapsed < PortLimit;

    private static void KillAll()
    {
        lock (Running)
        {
            foreach (var process in Running)
            {
                process.Kill();
            }
        }
    }

    private async Task<int> StopAsync(int signal, TimeSpan? limit)
    {
        Process.Signal(signal);
        await Process.WaitForExitAsync().WithinAsync(
            limit ?? StartLimit, () => $"the broker did not stop on signal {signal}:\n{Output.Text}");
        var code = Process.ExitCode;
        Forget();
        return code;
    }

    private async Task StartOnceAsync()
    {
        Output = new ServerOutput();
        var process = new Process { StartInfo = Command() };
        process.StartInfo.RedirectStandardOutput = true;
        process.StartInfo.RedirectStandardError = true;
        Output.Attach(process);
        var ready = ReadyAsync();
        process.Start();
        lock (Running)
        {
            Running.Add(process);
        }

        _process = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var exited = process.WaitForExitAsync();
        var first = await Task.WhenAny(ready, exited, Task.Delay(StartLimit));
        if (first != ready)
        {
            var what = first == exited ? $"exited with {process.ExitCode}" : $"was not ready in {StartLimit.TotalSeconds} s";
            throw new TestFailureException($"the broker {what}:\n{Output.Text}");
        }

        await ready;
    }

    private Process Refreshed()
    {
        Process.Refresh();
        return Process;
    }

    private void Forget()
    {
        if (_process is not { } process)
        {
            return;
        }

        lock (Running)
        {
            Running.Remove(process);
        }

        process.Dispose();
        _process = null;
    }
}
