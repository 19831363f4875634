using Microsoft.Extensions.Logging;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>An open file: the folder's lock, the writer's connection, and what was read at the start.</summary>
internal sealed class SqliteOpened : IDisposable
{
    // 4 KB: SQLite's default, the page size of the file system and the memory.
    private const int PageBytes = 4096;

    private readonly DataDirectoryLock _lock;
    private readonly SqliteDatabase _database;
    private RecoveredState? _state;

    private SqliteOpened(
        DataDirectoryLock directoryLock, SqliteDatabase database, SqliteCommitTarget target, RecoveredState state)
    {
        _lock = directoryLock;
        _database = database;
        Target = target;
        _state = state;
    }

    public SqliteCommitTarget Target { get; }

    /// <summary>Locks, opens, migrates, reads.</summary>
    /// <exception cref="StoreOpenException">With one line that says what to do.</exception>
    public static SqliteOpened Open(
        SqliteStoreOptions options, IReadOnlyList<string> migrations, ILogger logger, CancellationToken cancellationToken)
    {
        var path = Path.GetFullPath(options.Path);
        var directoryLock = DataDirectoryLock.Acquire(Path.GetDirectoryName(path)!);
        SqliteDatabase? database = null;
        try
        {
            database = new SqliteDatabase(path, readOnly: false);
            Configure(database, options);
            var (from, to) = SqliteSchema.Migrate(database, path, migrations);
            if (from != to)
            {
                logger.Migrated(from, to);
            }

            var known = new SessionTable();
            var state = SqliteRecovery.Load(database, known, cancellationToken);
            var target = new SqliteCommitTarget(database, known, options);
            if (state.LastAlive is { } lastAlive)
            {
                state = state with { LastAlive = Math.Max(lastAlive, directoryLock.LastAlive ?? 0) };
            }

            return new SqliteOpened(directoryLock, database, target, state);
        }
        catch (Exception error)
        {
            database?.Dispose();
            directoryLock.Dispose();
            if (error is SqliteFault fault)
            {
                throw Explain(fault, path);
            }

            throw;
        }
    }

    /// <summary>The state as recovered; given once, so that the store does not keep it alive.</summary>
    public RecoveredState TakeState()
    {
        var state = _state ?? throw new InvalidOperationException("The recovered state was taken before.");
        _state = null;
        return state;
    }

    /// <inheritdoc cref="DataDirectoryLock.Touch" />
    public void NoteAlive() => _lock.Touch();

    public void Dispose()
    {
        Target.Dispose();
        _database.Dispose();
        _lock.Dispose();
    }

    private static void Configure(SqliteDatabase database, SqliteStoreOptions options)
    {
        // busy_timeout first: a broker that was killed a moment ago may have released the folder's lock and not yet the file's.
        // auto_vacuum and page_size count only before the first table exists, and page_size before WAL.
        database.Execute(
            $"""
            PRAGMA busy_timeout = 5000;
            PRAGMA page_size = {PageBytes};
            PRAGMA auto_vacuum = INCREMENTAL;
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = {(int)options.Synchronous};
            PRAGMA cache_size = {-Math.Max(1, options.CacheBytes / 1024)};
            PRAGMA wal_autocheckpoint = 0;
            PRAGMA journal_size_limit = {options.CheckpointBytes * 2};
            PRAGMA temp_store = MEMORY;
            """);
    }

    private static StoreOpenException Explain(SqliteFault fault, string path) => fault.IsCorruption
        ? new StoreOpenException(
            StoreOpenFailure.Corrupt,
            $"The store {path} is damaged or no SQLite database ({fault.Message}): restore a backup, or move the file away "
                + "to start empty.",
            fault)
        : new StoreOpenException(
            StoreOpenFailure.NotWritable,
            $"The store {path} cannot be opened ({fault.Message}): check permissions, free space and the disk.",
            fault);
}
