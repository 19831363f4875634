using Npgsql;
using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <summary>The token and the comparison with the stored sessions: <c>broker_begin</c>, first in every transaction.</summary>
internal sealed class BeginStatement
{
    private readonly PostgresStatement _statement = new("SELECT broker_begin($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
    private readonly PostgresStatement.Cell<int> _node;
    private readonly PostgresStatement.Cell<long> _owner;
    private readonly PostgresStatement.Cell<long> _fence;
    private readonly PostgresStatement.Cell<long> _commit;
    private readonly List<long> _relied;
    private readonly List<long> _reliedEpochs;
    private readonly List<long> _puts;
    private readonly List<long> _putEpochs;
    private readonly List<string> _putClients;
    private readonly List<long> _deletions;
    private readonly List<long> _deletionEpochs;

    public BeginStatement()
    {
        _node = _statement.Value<int>(NpgsqlDbType.Integer);
        _owner = _statement.Value<long>(NpgsqlDbType.Bigint);
        _fence = _statement.Value<long>(NpgsqlDbType.Bigint);
        _commit = _statement.Value<long>(NpgsqlDbType.Bigint);
        _relied = _statement.Array<long>(NpgsqlDbType.Bigint);
        _reliedEpochs = _statement.Array<long>(NpgsqlDbType.Bigint);
        _puts = _statement.Array<long>(NpgsqlDbType.Bigint);
        _putEpochs = _statement.Array<long>(NpgsqlDbType.Bigint);
        _putClients = _statement.Array<string>(NpgsqlDbType.Text);
        _deletions = _statement.Array<long>(NpgsqlDbType.Bigint);
        _deletionEpochs = _statement.Array<long>(NpgsqlDbType.Bigint);
    }

    public NpgsqlBatchCommand Command => _statement.Command;

    /// <inheritdoc cref="PostgresStatement.Renew" />
    public void Renew() => _statement.Renew();

    /// <summary>The process and the number of its transaction.</summary>
    public void SetToken(NodeLease lease, long commit)
    {
        _node.Value = lease.Number;
        _owner.Value = lease.Owner;
        _fence.Value = lease.Fence;
        _commit.Value = commit;
    }

    /// <summary>What the batch relies on.</summary>
    public void Fill(PostgresBatch batch, PostgresSessionTable known)
    {
        _statement.IsUsed = true;
        _statement.Clear();
        _statement.IsUsed = true;
        foreach (var (session, epoch) in batch.Relied)
        {
            _relied.Add(session);
            _reliedEpochs.Add(epoch);
        }

        foreach (var row in batch.Sessions.Values)
        {
            if (row is not null)
            {
                _puts.Add(row.Number);
                _putEpochs.Add(batch.FirstEpochs[row.Number]);
                _putClients.Add(row.ClientId);
            }
        }

        foreach (var session in batch.DeletedSessions.Keys)
        {
            _deletions.Add(session);
            _deletionEpochs.Add(known.DeletableEpoch(session));
        }
    }
}
