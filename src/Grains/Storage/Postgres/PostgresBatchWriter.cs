using System.Runtime.InteropServices;
using Npgsql;
using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <summary>
/// Turns a batch into the arrays of a few statements, whatever its size. Messages come before deletions, which may give
/// references to them back, and deletions before deliveries, which may take the place of what was deleted. Split by what the
/// rows are about.
/// </summary>
internal sealed partial class PostgresBatchWriter
{
    private readonly PostgresSessionTable _known;
    private readonly NumberBlocks _messageNumbers;
    private readonly NumberBlocks _sessionNumbers;
    private readonly List<PostgresStatement> _statements = [];
    private readonly BeginStatement _begin = new();
    private readonly PostgresStatement _putMeta;
    private readonly List<string> _metaNames;
    private readonly List<long> _metaValues;

    /// <param name="known">Brought up to date when a batch is committed.</param>
    public PostgresBatchWriter(
        PostgresSessionTable known, NumberBlocks messageNumbers, NumberBlocks sessionNumbers, long owner)
    {
        _known = known;
        _messageNumbers = messageNumbers;
        _sessionNumbers = sessionNumbers;
        Owner = owner;

        // In the order in which they run.
        PrepareMessages();
        PrepareDeletions();
        PrepareSessions();
        PrepareDeliveries();
        PrepareRetained();
        PrepareItems();
        PrepareDelayed();
        PrepareExclusive();
        _putMeta = Statement(
            """
            INSERT INTO broker_meta (name, value) SELECT * FROM unnest($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = greatest(broker_meta.value, excluded.value)
            """);
        _metaNames = _putMeta.Array<string>(NpgsqlDbType.Text);
        _metaValues = _putMeta.Array<long>(NpgsqlDbType.Bigint);
    }

    /// <summary>Written into the session rows.</summary>
    public long Owner { get; set; }

    /// <summary>Makes the statements of a batch. False when there is nothing to write.</summary>
    public bool Fill(PostgresBatch batch)
    {
        foreach (var statement in _statements)
        {
            statement.Clear();
        }

        FillDeliveries(batch);
        FillMessages(batch);
        FillSessions(batch);
        FillRetained(batch);
        FillWills(batch);
        FillItems(batch);
        FillDelayed(batch);
        FillExclusive(batch);
        FillDeletions(batch);
        if (batch.LastAlive is { } lastAlive)
        {
            _metaNames.Add("last_alive");
            _metaValues.Add(lastAlive);
            _putMeta.IsUsed = true;
        }

        _begin.Fill(batch, _known);
        return _statements.Exists(statement => statement.IsUsed);
    }

    /// <summary>
    /// Runs what was filled, in one transaction and one round trip: all statements go out together with one end mark, and the
    /// server commits there by itself.
    /// </summary>
    /// <returns>Rows inserted, replaced, changed or deleted.</returns>
    public int Run(NpgsqlConnection connection, NodeLease lease, long commit)
    {
        using var batch = new NpgsqlBatch(connection);
        _begin.SetToken(lease, commit);
        batch.BatchCommands.Add(_begin.Command);
        foreach (var statement in _statements)
        {
            if (statement.IsUsed)
            {
                batch.BatchCommands.Add(statement.Command);
            }
        }

        try
        {
            // To the very end: only the last answer says that the transaction is committed.
            var rows = 0;
            using var reader = batch.ExecuteReader();
            do
            {
                while (reader.Read())
                {
                    rows += reader.GetInt32(0);
                }
            }
            while (reader.NextResult());
            return rows + Math.Max(0, reader.RecordsAffected);
        }
        catch
        {
            _begin.Renew();
            _statements.ForEach(statement => statement.Renew());
            throw;
        }
    }

    /// <summary>The transaction is durable: what is known follows.</summary>
    public void Committed(PostgresBatch batch)
    {
        foreach (var session in batch.DeletedSessions.Keys)
        {
            _known.Deleted(session);
        }

        foreach (var row in batch.Sessions.Values)
        {
            if (row is not null)
            {
                // Its number came from here and nobody else can know it, or its epoch was compared.
                var isKnown = batch.Relied.ContainsKey(row.Number) || _sessionNumbers.MayHaveGiven(row.Number);
                _known.Put(row.Number, row.Epoch, isKnown);
            }
        }

        foreach (ref readonly var change in batch.Deliveries)
        {
            if (change.Kind == DeliveryChangeKind.Put)
            {
                _known.Stored(change.Row.Session, change.Row.Sequence);
            }
        }

        foreach (var number in batch.Messages.Keys)
        {
            if (_messageNumbers.MayHaveGiven(number))
            {
                _highestMessage = Math.Max(_highestMessage, number);
            }
        }
    }

    private PostgresStatement Statement(string sql)
    {
        var statement = new PostgresStatement(sql);
        _statements.Add(statement);
        return statement;
    }

    private void Release(PostgresBatch batch, long message)
    {
        ref var change = ref CollectionsMarshal.GetValueRefOrNullRef(batch.Messages, message);
        if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref change))
        {
            change.References--;
            return;
        }

        CollectionsMarshal.GetValueRefOrAddDefault(_released, message, out _)++;
    }
}
