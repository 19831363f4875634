using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Broker.TestKit.Servers;

/// <summary>POSIX signals; .NET itself can send SIGKILL only.</summary>
internal static partial class ProcessSignals
{
    public const int Interrupt = 2;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    public static void Signal(this Process process, int signal)
    {
        if (Kill(process.Id, signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Returns when no thread of a process that was sent <see cref="Stop"/> runs any more: some take milliseconds to notice.</summary>
    public static void WaitUntilStopped(this Process process)
    {
        var stopped = SpinWait.SpinUntil(
            () => Directory.GetDirectories($"/proc/{process.Id}/task").All(static task => StateOf(task) is 'T' or 'X' or 'Z'), TimeSpan.FromSeconds(10));
        if (!stopped)
        {
            throw new TestFailureException($"process {process.Id} does not stop");
        }
    }

    private static char StateOf(string task)
    {
        try
        {
            // Behind the name, which is in parentheses and may have some.
            var text = File.ReadAllText(Path.Combine(task, "stat"));
            return text[text.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            // A thread that has ended since.
            return 'X';
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
