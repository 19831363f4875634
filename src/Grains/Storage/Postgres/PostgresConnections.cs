using Npgsql;

namespace Broker.Grains.Storage.Postgres;

/// <summary>How the store connects: one connection of its own for the writer, a pool for loads.</summary>
internal sealed class PostgresConnections : IAsyncDisposable
{
    // Statements of the writer and the loads together, with room.
    private const int PreparedStatements = 64;

    // The statements probe indexes with the keys that their arrays name. Statistics of a queue that fills and empties are wrong
    // most of the time, so no plan may depend on them; and planning again for each execution costs more than it gains.
    private const string WriterPlans =
        " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off -c plan_cache_mode=force_generic_plan";

    private readonly NpgsqlDataSource _writer;
    private readonly NpgsqlDataSource _readers;

    public PostgresConnections(PostgresStoreOptions options)
    {
        var common = new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            Timeout = Seconds(options.ConnectTimeout),
            CommandTimeout = Seconds(options.CommandTimeout),
            // After a timeout the server is asked to cancel; one that does not answer that either is given up.
            CancellationTimeout = 1000,
            TcpKeepAlive = true,
            TcpKeepAliveTime = Seconds(options.CommandTimeout),
            TcpKeepAliveInterval = 1,
            Enlist = false,
            Multiplexing = false,
            MaxAutoPrepare = PreparedStatements,
            AutoPrepareMinUsages = 2,
            ApplicationName = "broker",
        };

        // The server's own limits, so that what it still works on ends when nobody waits for it any more. A lock is held for
        // a commit's time; one that is not given back by half the patience belongs to a hung transaction.
        var limits = FormattableString.Invariant(
            $"-c statement_timeout={options.CommandTimeout.TotalMilliseconds:F0} -c lock_timeout={options.CommandTimeout.TotalMilliseconds / 2:F0} -c idle_in_transaction_session_timeout={options.CommandTimeout.TotalMilliseconds:F0} -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=5");
        Description = $"postgresql {common.Host}:{common.Port}/{common.Database}";
        common.Options = $"{common.Options} {limits}".Trim();
        _readers = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(common.ConnectionString)
        {
            // One more than loads: for the renewal of the node number.
            MaxPoolSize = options.Readers + 1,
            MinPoolSize = 0,

            // Loads leave nothing behind in a connection, and the seven statements of a reset cost more than a small load.
            NoResetOnClose = true,
        });
        common.Options += WriterPlans;
        common.Pooling = false;
        _writer = NpgsqlDataSource.Create(common);
    }

    /// <summary>Kind and place, without user and password.</summary>
    public string Description { get; }

    /// <summary>The pool for loads.</summary>
    public NpgsqlDataSource Readers => _readers;

    /// <summary>A connection whose commits are durable.</summary>
    /// <param name="name">Unique, so that the server can be asked to end it when it is lost.</param>
    public NpgsqlConnection OpenWriter(string name)
    {
        var connection = _writer.OpenConnection();
        try
        {
            // Promise 1 does not depend on how somebody set up the database. Stronger settings stay.
            using var command = new NpgsqlCommand(
                """
                SELECT set_config('application_name', $1, false),
                    CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END
                """,
                connection);
            command.Parameters.Add(new() { Value = name });
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _readers.DisposeAsync();
        await _writer.DisposeAsync();
    }

    private static int Seconds(TimeSpan time) => Math.Max(1, (int)Math.Ceiling(time.TotalSeconds));
}
