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

    private readonly FileStream _lock;
    private readonly string _holderPath;

    private DataDirectoryLock(FileStream lockStream, string holderPath)
    {
        _lock = lockStream;
        _holderPath = holderPath;
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
        catch (IOException error)
        {
            // Sharing violations have no exception type of their own. The lock file exists and opens for reading its
            // length in every other case that a running broker causes, so anything else is the folder's fault.
            if (!File.Exists(path) || IsReadOnlyFileSystem(directory))
            {
                throw NotWritable(directory, error);
            }

            throw new StoreOpenException(
                StoreOpenFailure.Held,
                $"The data folder {directory} is in use by {Holder(holderPath)}: stop it, or choose another folder.",
                error);
        }
    }

    private static bool IsReadOnlyFileSystem(string directory)
    {
        var probe = Path.Combine(directory, $".probe-{Environment.ProcessId}");
        try
        {
            using (new FileStream(probe, FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
            {
                return false;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

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
