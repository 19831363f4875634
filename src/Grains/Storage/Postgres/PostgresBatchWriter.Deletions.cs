using System.Diagnostics.CodeAnalysis;
using NpgsqlTypes;

namespace Broker.Grains.Storage.Postgres;

/// <content>What goes, with the messages that go along: one call of <c>broker_delete</c>.</content>
internal sealed partial class PostgresBatchWriter
{
    private PostgresStatement _delete;
    private PostgresStatement.Cell<long> _deleteOwner;
    private List<long> _deletedSession;
    private List<long> _newSession;
    private List<long> _newSessionEpoch;
    private List<string> _newSessionClient;
    private List<long> _rangeSession;
    private List<long> _rangeFirst;
    private List<long> _rangeLast;
    private List<long> _replacedSession;
    private List<long> _replacedSequence;
    private List<long> _replacedMessage;
    private List<long> _releasedMessage;
    private List<int> _releasedCount;

    [MemberNotNull(
        nameof(_delete), nameof(_deleteOwner), nameof(_deletedSession), nameof(_newSession), nameof(_newSessionEpoch),
        nameof(_newSessionClient), nameof(_rangeSession),
        nameof(_rangeFirst), nameof(_rangeLast), nameof(_replacedSession), nameof(_replacedSequence), nameof(_replacedMessage),
        nameof(_releasedMessage), nameof(_releasedCount))]
    private void PrepareDeletions()
    {
        _delete = Statement("SELECT broker_delete($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
        _deleteOwner = _delete.Value<long>(NpgsqlDbType.Bigint);
        _deletedSession = _delete.Array<long>(NpgsqlDbType.Bigint);
        _newSession = _delete.Array<long>(NpgsqlDbType.Bigint);
        _newSessionEpoch = _delete.Array<long>(NpgsqlDbType.Bigint);
        _newSessionClient = _delete.Array<string>(NpgsqlDbType.Text);
        _rangeSession = _delete.Array<long>(NpgsqlDbType.Bigint);
        _rangeFirst = _delete.Array<long>(NpgsqlDbType.Bigint);
        _rangeLast = _delete.Array<long>(NpgsqlDbType.Bigint);
        _replacedSession = _delete.Array<long>(NpgsqlDbType.Bigint);
        _replacedSequence = _delete.Array<long>(NpgsqlDbType.Bigint);
        _replacedMessage = _delete.Array<long>(NpgsqlDbType.Bigint);
        _releasedMessage = _delete.Array<long>(NpgsqlDbType.Bigint);
        _releasedCount = _delete.Array<int>(NpgsqlDbType.Integer);
    }

    /// <summary>Adds a delivery to the range before it, if it continues that.</summary>
    private void Delete(long session, long sequence)
    {
        _delete.IsUsed = true;
        if (_rangeSession.Count > 0 && _rangeSession[^1] == session && _rangeLast[^1] + 1 == sequence)
        {
            _rangeLast[^1] = sequence;
            return;
        }

        _rangeSession.Add(session);
        _rangeFirst.Add(sequence);
        _rangeLast.Add(sequence);
    }

    /// <summary>A delivery that may take the place of one with another message.</summary>
    private void Replace(in DeliveryRow row)
    {
        _delete.IsUsed = true;
        _replacedSession.Add(row.Session);
        _replacedSequence.Add(row.Sequence);
        _replacedMessage.Add(row.Message);
    }

    /// <summary>Last, when it is known which references nobody needs.</summary>
    private void FillDeletions(PostgresBatch batch)
    {
        _deleteOwner.Value = Owner;
        foreach (var session in batch.DeletedSessions.Keys)
        {
            _delete.IsUsed = true;
            _deletedSession.Add(session);
        }

        foreach (var row in batch.Sessions.Values)
        {
            // A new session of a client takes the place of its old one, also when nobody deleted that.
            if (row is not null && !batch.Relied.ContainsKey(row.Number))
            {
                _delete.IsUsed = true;
                _newSession.Add(row.Number);
                _newSessionEpoch.Add(batch.FirstEpochs[row.Number]);
                _newSessionClient.Add(row.ClientId);
            }
        }

        foreach (var (message, count) in _released)
        {
            _delete.IsUsed = true;
            _releasedMessage.Add(message);
            _releasedCount.Add(count);
        }
    }
}
