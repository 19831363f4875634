namespace Broker.Grains.Storage.Postgres;

/// <summary>A batch that notes which answers about sessions it was built on, for the transaction to compare.</summary>
internal sealed class PostgresBatch(PostgresSessionTable known) : StoreBatch(known)
{
    /// <summary>Epoch by session, where the answer "owns it" was given from what is known.</summary>
    public Dictionary<long, long> Relied { get; } = [];

    /// <summary>Epoch of the first put of a session in this batch: the one that must win against the stored row.</summary>
    public Dictionary<long, long> FirstEpochs { get; } = [];

    public override void Clear()
    {
        base.Clear();
        Relied.Clear();
        FirstEpochs.Clear();
    }

    public override bool Owns(long session, long epoch)
    {
        if (Sessions.ContainsKey(session))
        {
            return base.Owns(session, epoch);
        }

        if (Relied.TryGetValue(session, out var relied))
        {
            return relied == epoch;
        }

        if (!base.Owns(session, epoch))
        {
            return false;
        }

        Relied.Add(session, epoch);
        return true;
    }

    public override void PutSession(SessionRow row)
    {
        if (known.IsPutRefused(row.Number))
        {
            throw new SessionFencedException(row.Number);
        }

        FirstEpochs.TryAdd(row.Number, row.Epoch);
        base.PutSession(row);
    }

    public override void DeleteSession(long session)
    {
        // Another silo has taken the session over: it is not ours to delete any more.
        if (!known.IsDeletionRefused(session))
        {
            base.DeleteSession(session);
        }
    }
}
