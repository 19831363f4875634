using System.Collections;
using System.Runtime.InteropServices;
using System.Text;

namespace Broker.Gateway.Hosting;

/// <summary>
/// Replaces this process by a fresh one of the same program: <c>execve</c>. Process id, parent, standard streams, working folder
/// and arguments stay, so that whoever supervises the broker sees no end; everything else is gone in one step, sockets
/// included, because the runtime opens every descriptor close-on-exec.
/// </summary>
internal static unsafe partial class ProcessImage
{
    // The program of this process, also when its file was replaced meanwhile.
    private const string Program = "/proc/self/exe";
    private const string CommandLine = "/proc/self/cmdline";

    private const int SetMask = 2;

    // sigset_t of Linux C libraries.
    private const int SignalSetBytes = 128;

    /// <summary>Does it. Returns only when it is not possible here.</summary>
    /// <param name="moreArguments">Added behind the arguments that the process has.</param>
    /// <param name="variables">Environment variables that are set beside those that the process has.</param>
    /// <returns>Why not.</returns>
    public static string Replace(IEnumerable<string> moreArguments, params (string Name, string Value)[] variables)
    {
        if (!OperatingSystem.IsLinux())
        {
            return "only Linux can";
        }

        byte[] arguments;
        try
        {
            arguments = File.ReadAllBytes(CommandLine);
        }
        catch (IOException error)
        {
            return error.Message;
        }

        var all = Split(arguments).Concat(moreArguments.Select(Encoding.UTF8.GetBytes));
        var environment = Environment.GetEnvironmentVariables();
        foreach (var (name, value) in variables)
        {
            environment[name] = value;
        }

        Unblock();
        _ = Execute(
            Program,
            Pointers(all),
            Pointers(environment.Cast<DictionaryEntry>().Select(static v => Encoding.UTF8.GetBytes($"{v.Key}={v.Value}"))));
        return Marshal.GetLastPInvokeErrorMessage();
    }

    private static IEnumerable<byte[]> Split(byte[] text)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = Array.IndexOf(text, (byte)0, start);
            end = end < 0 ? text.Length : end;
            yield return text[start..end];
            start = end + 1;
        }
    }

    /// <summary>A blocked signal would stay blocked in the new program: no SIGTERM would reach it.</summary>
    private static void Unblock()
    {
        var none = stackalloc byte[SignalSetBytes];
        new Span<byte>(none, SignalSetBytes).Clear();
        _ = SetSignalMask(SetMask, none, null);
    }

    /// <summary>As C wants it. Never freed: the program that would do so is gone, or ends.</summary>
    private static byte** Pointers(IEnumerable<byte[]> texts)
    {
        var list = texts.ToList();
        var pointers = (byte**)NativeMemory.AllocZeroed((nuint)(list.Count + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < list.Count; i++)
        {
            pointers[i] = (byte*)NativeMemory.AllocZeroed((nuint)list[i].Length + 1);
            list[i].CopyTo(new Span<byte>(pointers[i], list[i].Length));
        }

        return pointers;
    }

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "pthread_sigmask")]
    private static partial int SetSignalMask(int how, byte* set, byte* former);
}
