using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Broker.TestKit.Servers;

/// <summary>POSIX signals; .NET itself can send SIGKILL only.</summary>
internal static partial class ProcessSignals
{
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

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
