using System.Net.Sockets;
using Npgsql;

namespace Broker.Grains.Storage.Postgres;

/// <summary>An error that PostgreSQL or the way to it reported.</summary>
internal sealed class PostgresFault : StoreException
{
    private PostgresFault(string sqlState, string message, Exception inner)
        : base(message, inner) => SqlState = sqlState;

    /// <summary>Five characters; empty when the server said nothing.</summary>
    public string SqlState { get; }

    /// <inheritdoc />
    public override bool IsFull => SqlState == PostgresErrorCodes.DiskFull;

    /// <summary>
    /// The row is at fault, not the server: it fails whenever it is tried. Only classes that say so beyond doubt, because a
    /// write that fails like this is dropped even if it must succeed: 22 data, 23 integrity, 54 too large, 21 cardinality.
    /// </summary>
    public bool IsPermanent => SqlState.Length == 5 && SqlState[..2] is "21" or "22" or "23" or "54";

    /// <summary>Puts what Npgsql throws into one line.</summary>
    public static StoreException From(Exception error) => error switch
    {
        StoreException known => known,
        PostgresException server => new PostgresFault(
            server.SqlState, $"PostgreSQL error {server.SqlState}: {server.MessageText}", server),
        _ => new PostgresFault("", $"PostgreSQL cannot be reached: {Line(error)}", error),
    };

    /// <summary>Whether the server may be there later without anybody changing anything on this side.</summary>
    public static bool MayPass(Exception error) => error switch
    {
        PostgresException server => server.IsTransient || server.SqlState.StartsWith("57P", StringComparison.Ordinal),
        NpgsqlException client => client.IsTransient,
        PostgresFault { InnerException: { } inner } => MayPass(inner),
        _ => error is IOException or SocketException or TimeoutException,
    };

    /// <summary>Whether it tells of a database that does not answer, and not of something else.</summary>
    public static bool IsOutage(Exception error) => error is NpgsqlException or PostgresFault && MayPass(error);

    /// <summary>Why a store could not be opened.</summary>
    public static StoreOpenFailure OpenFailure(Exception error) =>
        MayPass(error) ? StoreOpenFailure.Unreachable : StoreOpenFailure.Refused;

    /// <summary>
    /// Whether the transaction may have been committed although it ended with this error. The server rolls back on an ERROR;
    /// on FATAL and worse, and when the connection or the patience ends, it may have committed and not been able to say so.
    /// </summary>
    public static bool LeavesDoubt(Exception error) => error is PostgresException server
        ? server.InvariantSeverity != "ERROR"
        : error is NpgsqlException or IOException or SocketException or TimeoutException;

    /// <summary>
    /// The same transaction may succeed at once: deadlock, serialization failure, or two new sessions of one client at the same
    /// time, of which the second now meets the first.
    /// </summary>
    public static bool IsConflict(Exception error) => error is PostgresException
    {
        SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure,
    } or PostgresException { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "broker_session_client" };

    private static string Line(Exception error)
    {
        var text = error.InnerException is { } inner ? $"{error.Message} ({inner.Message})" : error.Message;
        return text.ReplaceLineEndings(" ");
    }
}
