using Broker.Grains.Storage;
using Broker.Grains.Wills;

namespace Broker.Grains.Sessions;

/// <summary>A session's row at the beginning or end of a connection, with the Will of a new one.</summary>
/// <param name="deletesWill">Whether the row of an earlier Will, that is not published any more, has to go.</param>
internal sealed class SessionWrite(Session session, bool isConnected, Will? will, bool deletesWill) : AwaitableWrite
{
    private readonly SessionRow _row = new(
        session.Number, session.ClientId, session.Epoch, session.ExpiryInterval, session.ExpiresAt, session.CreatedAt, session.Version,
        isConnected ? null : session.SentUpTo);

    // The epoch that the store had before this write; null while its rows are in no transaction.
    private long? _ownedAt;
    private bool _isFenced;

    // The end of a connection has nobody to tell that the store refused it.
    public override bool MustSucceed => !isConnected;

    public override void AddTo(IStoreBatch batch)
    {
        if (session.IsDurable)
        {
            _ownedAt ??= session.StoreEpoch;
            _isFenced = _ownedAt != 0 && !batch.Owns(session.Number, _ownedAt.Value);
            if (_isFenced)
            {
                return;
            }

            batch.PutSession(_row);
            session.StoreEpoch = _row.Epoch;
        }

        if (will is not null)
        {
            // Stored in the transaction of its session [MQTT-3.1.2-7].
            batch.PutWill(will.ToRow(_row.ExpiryInterval, publishAt: null));
        }
        else if (deletesWill)
        {
            batch.DeleteWill(session.ClientId);
        }
    }

    // Writes before this one in the group, and this one itself, are added again under the epoch before it.
    public override void Retract()
    {
        if (_ownedAt is { } before)
        {
            _ownedAt = null;
            session.StoreEpoch = before;
        }
    }

    public override void Complete(Exception? error)
    {
        if (_isFenced)
        {
            session.NoteFenced();
        }

        if (_isFenced && isConnected)
        {
            error ??= new StoreException("The session has another owner.");
        }

        if (error is not null)
        {
            Retract();
        }

        base.Complete(error);
    }
}
