using System.Globalization;

namespace Broker.Grains.Storage;

/// <summary>
/// Keeps a second broker out of a data folder. The lock is the operating system's on an open file, so it ends with the
/// process however that ends. A second file names the holder: a locked file cannot be read by anybody else.
/// </summary>
public sealed class DataDirectoryLock : IDisposable
{
    private const string LockFile = "broker.lock";
    private const string HolderFile = "broker.pid";
    private const string AliveFile = "broker.alive";

    // What the runtime puts into HResult: errno EWOULDBLOCK, or the Win32 code.
    private const int LinuxWouldBlock = 11;
    private const int BsdWouldBlock = 35;
    private const int WindowsSharingViolation = unchecked((int)0x80070020);

    private readonly FileStream _lock;
    private readonly string _holderPath;
    private readonly string _alivePath;

    private DataDirectoryLock(FileStream lockStream, string holderPath)
    {
        _lock = lockStream;
        _holderPath = holderPath;
        _alivePath = Path.Combine(Path.GetDirectoryName(holderPath)!, AliveFile);
        LastAlive = File.Exists(_alivePath)
            ? new DateTimeOffset(File.GetLastWriteTimeUtc(_alivePath)).ToUnixTimeMilliseconds()
            : null;
    }

    /// <summary>When the last holder was last known to run, in milliseconds since 1970; null when nobody has noted it.</summary>
    public long? LastAlive { get; }

    /// <summary>Notes that the holder runs. Changes a time stamp only, which a full disk has room for.</summary>
    public void Touch()
    {
        try
        {
            if (!File.Exists(_alivePath))
            {
                File.Create(_alivePath).Dispose();
            }

            File.SetLastWriteTimeUtc(_alivePath, DateTime.UtcNow);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The store's own record of the time is the first; this one is for when that one cannot be written.
        }
    }

    /// <summary>Creates the folder if needed and locks it.</summary>
    /// <exception cref="StoreOpenException">Not writable, or held by another process.</exception>
    public static DataDirectoryLock Acquire(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(directory, error);
        }

        var holderPath = Path.Combine(directory, HolderFile);
        var stream = Open(Path.Combine(directory, LockFile), directory, holderPath);
        try
        {
            File.WriteAllText(holderPath, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The name of the holder is a courtesy. A full disk must not keep the broker from serving what it has.
        }

        return new DataDirectoryLock(stream, holderPath);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        try
        {
            File.Delete(_holderPath);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A stale name does no harm: it is read only while somebody holds the lock.
        }

        _lock.Dispose();
    }

    private static FileStream Open(string path, string directory, string holderPath)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException error)
        {
            throw NotWritable(directory, error);
        }
        catch (IOException error) when (!IsHeld(error))
        {
            throw NotWritable(directory, error);
        }
        catch (IOException error)
        {
            throw new StoreOpenException(
                StoreOpenFailure.Held,
                $"The data folder {directory} is in use by {Holder(holderPath)}: stop it, or choose another folder.",
                error);
        }
    }

    /// <summary>A sharing violation has no exception type of its own, only the system's code.</summary>
    private static bool IsHeld(IOException error) =>
        error.HResult is LinuxWouldBlock or BsdWouldBlock or WindowsSharingViolation;

    private static string Holder(string holderPath)
    {
        try
        {
            return $"another broker (pid {File.ReadAllText(holderPath).Trim()})";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "another broker";
        }
    }

    private static StoreOpenException NotWritable(string directory, Exception error) => new(
        StoreOpenFailure.NotWritable,
        $"The data folder {directory} cannot be written ({error.Message}): give the broker's user write permission, "
            + "or choose another folder.",
        error);
}
