using System.Text;
using SQLitePCL;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>A prepared statement. Parameters count from 1, columns from 0, as in SQLite.</summary>
internal sealed class SqliteStatement : IDisposable
{
    private const int TextBufferBytes = 512;

    private readonly SqliteDatabase _database;
    private readonly sqlite3_stmt _statement;

    public SqliteStatement(SqliteDatabase database, sqlite3_stmt statement)
    {
        _database = database;
        _statement = statement;
    }

    public SqliteStatement Bind(int parameter, long value)
    {
        _database.Check(raw.sqlite3_bind_int64(_statement, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, long? value) => value is { } some ? Bind(parameter, some) : BindNull(parameter);

    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> blob)
    {
        _database.Check(raw.sqlite3_bind_blob(_statement, parameter, blob));
        return this;
    }

    public SqliteStatement Bind(int parameter, string text)
    {
        // Short texts (client ids, filters) are encoded on the stack; the general way allocates an array for each.
        if (text.Length is 0 or > TextBufferBytes / 3)
        {
            _database.Check(raw.sqlite3_bind_text(_statement, parameter, text));
            return this;
        }

        Span<byte> buffer = stackalloc byte[TextBufferBytes];
        var length = Encoding.UTF8.GetBytes(text, buffer);
        _database.Check(raw.sqlite3_bind_text(_statement, parameter, buffer[..length]));
        return this;
    }

    public SqliteStatement BindNull(int parameter)
    {
        _database.Check(raw.sqlite3_bind_null(_statement, parameter));
        return this;
    }

    /// <summary>Advances to the next row. False at the end, when the statement is ready to be bound again.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(_statement);
        if (code == raw.SQLITE_ROW)
        {
            return true;
        }

        var reset = raw.sqlite3_reset(_statement);
        _database.Check(code);
        _database.Check(reset);
        return false;
    }

    /// <summary>Runs to the end and returns the number of rows changed.</summary>
    public int Execute()
    {
        while (Step())
        {
        }

        return _database.Changes;
    }

    /// <summary>Leaves the rest of the rows unread.</summary>
    public void Reset() => raw.sqlite3_reset(_statement);

    public long Int64(int column) => raw.sqlite3_column_int64(_statement, column);

    public int Int32(int column) => raw.sqlite3_column_int(_statement, column);

    public long? NullableInt64(int column) => IsNull(column) ? null : Int64(column);

    public bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public string Text(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string();

    /// <summary>Valid until the next call on the statement.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(_statement, column);

    public void Dispose() => _statement.Dispose();
}
