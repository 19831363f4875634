using Broker.Gateway.Hosting;
using Broker.Gateway.Options;

namespace Broker.Gateway.Auth;

/// <summary>
/// The users as the file has them now. Asked on every CONNECT with a user name, it looks at the file at most once a second; a file
/// that has become wrong is reported once, and the users before it stay.
/// </summary>
internal sealed partial class UserDirectory
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private readonly ILogger<UserDirectory> _log;
    private readonly Lock _gate = new();
    private volatile UserSet _users;
    private (DateTime Modified, long Length) _stamp;
    private long _checkedAt;

    /// <summary>Reads the file.</summary>
    /// <exception cref="StartupException">It cannot be used: there are no users before it that could stay.</exception>
    public UserDirectory(AuthOptions auth, DataOptions data, TimeProvider time, ILogger<UserDirectory> log)
    {
        _time = time;
        _log = log;
        Path = PathOf(auth, data);
        _checkedAt = time.GetTimestamp();
        try
        {
            _stamp = Stamp();
            _users = new UserSet(UsersFile.Load(Path).Users);
        }
        catch (Exception failure) when (IsUnusable(failure))
        {
            throw new StartupException($"the users file cannot be used: {failure.Message}", failure);
        }
    }

    /// <summary>Full path of the file.</summary>
    public string Path { get; }

    /// <summary>The users, after a look at the file when it is time.</summary>
    public UserSet Current
    {
        get
        {
            if (_time.GetElapsedTime(Volatile.Read(ref _checkedAt)) >= CheckEvery)
            {
                Refresh();
            }

            return _users;
        }
    }

    /// <summary>Where the file is, or would be.</summary>
    public static string PathOf(AuthOptions auth, DataOptions data) => System.IO.Path.GetFullPath(
        string.IsNullOrEmpty(auth.UsersFile) ? System.IO.Path.Combine(data.Directory, "users") : auth.UsersFile);

    private void Refresh()
    {
        lock (_gate)
        {
            Volatile.Write(ref _checkedAt, _time.GetTimestamp());
            var stamp = Stamp();
            if (stamp == _stamp)
            {
                return;
            }

            _stamp = stamp;
            try
            {
                _users = new UserSet(UsersFile.Load(Path).Users);
                LogReloaded(Path, _users.Count);
            }
            catch (Exception failure) when (IsUnusable(failure))
            {
                // Half-edited or unreadable for a moment: locking everybody out would be worse than the last good state.
                LogNotReloaded(Path, failure.Message);
            }
        }
    }

    private static bool IsUnusable(Exception failure) => failure is FormatException or IOException or UnauthorizedAccessException;

    private (DateTime Modified, long Length) Stamp()
    {
        try
        {
            // Behind a link it is the file that changes: Kubernetes mounts a Secret as links into a folder that it exchanges.
            var link = new FileInfo(Path);
            var file = link.Exists ? link.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? link : link;
            return file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
        }
        catch (FileNotFoundException)
        {
            // It went between two looks.
            return default;
        }
    }

    [LoggerMessage(100, LogLevel.Information, "{Path} has changed: {Count} users")]
    private partial void LogReloaded(string path, int count);

    [LoggerMessage(101, LogLevel.Warning, "{Path} has changed and cannot be used, the users before it stay: {Reason}")]
    private partial void LogNotReloaded(string path, string reason);
}
