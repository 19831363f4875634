using SQLitePCL;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>
/// Keeps the write-ahead log short and gives free pages back to the file system. Both run between commits on the writer's
/// thread: the log can start over only when everything in it has been copied, which never happens while somebody writes.
/// </summary>
internal sealed class SqliteSpace
{
    // 5..20 ms a step: short enough that a write that arrives in the middle does not notice.
    private const long ShortStepMilliseconds = 5;
    private const long LongStepMilliseconds = 20;
    private const int SmallestStepPages = 16;
    private const int LargestStepPages = 8192;

    private readonly SqliteDatabase _database;
    private readonly SqliteStatement _freePages;
    private readonly long _checkpointPages;
    private readonly long _freePagesKept;
    private long _pagesAtCheckpoint;
    private int _stepPages = 256;
    private bool _vacuumed;

    public SqliteSpace(SqliteDatabase database, SqliteStoreOptions options)
    {
        _database = database;
        var pageSize = database.Scalar("PRAGMA page_size");
        _checkpointPages = Math.Max(1, options.CheckpointBytes / pageSize);
        _freePagesKept = options.FreeBytesKept / pageSize;
        _freePages = database.Prepare("PRAGMA freelist_count");
        _pagesAtCheckpoint = database.PagesWritten;
    }

    public void AfterCommit()
    {
        if (_database.PagesWritten - _pagesAtCheckpoint >= _checkpointPages)
        {
            Checkpoint(raw.SQLITE_CHECKPOINT_PASSIVE);
        }
    }

    /// <summary>One bounded step. False when there is nothing left to give back.</summary>
    public bool RunIdleStep()
    {
        if (FreePages() > _freePagesKept)
        {
            var started = Environment.TickCount64;
            _database.Execute($"PRAGMA incremental_vacuum({_stepPages})");
            AfterCommit();
            var took = Environment.TickCount64 - started;
            _stepPages = took < ShortStepMilliseconds ? Math.Min(_stepPages * 2, LargestStepPages)
                : took > LongStepMilliseconds ? Math.Max(_stepPages / 2, SmallestStepPages)
                : _stepPages;
            _vacuumed = true;
            return true;
        }

        if (_vacuumed)
        {
            // The file itself shrinks when the log is copied back.
            _vacuumed = false;
            Checkpoint(raw.SQLITE_CHECKPOINT_TRUNCATE);
        }

        return false;
    }

    /// <summary>After a failure: whatever comes of it.</summary>
    public void TryCheckpoint()
    {
        try
        {
            Checkpoint(raw.SQLITE_CHECKPOINT_PASSIVE);
        }
        catch (SqliteFault)
        {
            // The failure of the commit is reported; this was an attempt to help.
        }
    }

    private void Checkpoint(int mode)
    {
        // Counted from here also if a reader keeps it from copying everything: the next try comes after as many pages again.
        _pagesAtCheckpoint = _database.PagesWritten;
        _database.Checkpoint(mode);
    }

    private long FreePages()
    {
        var pages = _freePages.Step() ? _freePages.Int64(0) : 0;
        _freePages.Reset();
        return pages;
    }
}
