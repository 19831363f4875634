using System.Collections.Concurrent;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>A fixed number of readers; a load waits for one. Loads block a pool thread each, so their number is small.</summary>
internal sealed class SqliteReaderPool : IAsyncDisposable
{
    private readonly Func<SqliteReader> _open;
    private readonly int _size;
    private readonly SemaphoreSlim _free;
    private readonly ConcurrentBag<SqliteReader> _readers = [];

    public SqliteReaderPool(Func<SqliteReader> open, int size)
    {
        _open = open;
        _size = size;
        _free = new SemaphoreSlim(size);
    }

    public async Task<T> RunAsync<T>(Func<SqliteReader, T> load, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => Run(load), cancellationToken);
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>Waits for loads under way; further ones wait for ever, so nobody may start any.</summary>
    public async ValueTask DisposeAsync()
    {
        for (var i = 0; i < _size; i++)
        {
            await _free.WaitAsync();
        }

        foreach (var reader in _readers)
        {
            reader.Dispose();
        }

        _free.Dispose();
    }

    private T Run<T>(Func<SqliteReader, T> load)
    {
        if (!_readers.TryTake(out var reader))
        {
            reader = _open();
        }

        var result = default(T);
        try
        {
            result = load(reader);
        }
        catch (SqliteFault)
        {
            // After an error of the file a fresh connection is worth more than this one.
            reader.Dispose();
            throw;
        }
        catch
        {
            _readers.Add(reader);
            throw;
        }

        _readers.Add(reader);
        return result;
    }
}
