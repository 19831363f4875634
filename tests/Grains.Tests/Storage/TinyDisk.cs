using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Broker.Grains.Tests.Storage;

/// <summary>A file system of a few MiB, so that a full disk is a real one.</summary>
internal sealed class TinyDisk
{
    private const int LazyUnmount = 2;

    private TinyDisk(string path) => Path = path;

    public string Path { get; }

    /// <summary>Null with a reason where mounting is not allowed.</summary>
    public static TinyDisk? TryMount(int mebibytes, out string reason)
    {
        var path = Directory.CreateTempSubdirectory("broker-tiny-").FullName;
        if (mount("tmpfs", path, "tmpfs", 0, $"size={mebibytes}m") == 0)
        {
            reason = "";
            return new TinyDisk(path);
        }

        reason = $"mounting a tmpfs needs root: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}";
        Directory.Delete(path);
        return null;
    }

    public void Unmount()
    {
        _ = umount2(Path, LazyUnmount);
        Directory.Delete(Path);
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int mount(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string source,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string target,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string type,
        nuint flags,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string data);

    [DllImport("libc", SetLastError = true)]
    private static extern int umount2([MarshalAs(UnmanagedType.LPUTF8Str)] string target, int flags);
}
