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

    // Rows may be added again when another write of the transaction failed: what is asked then is what was asked first.
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
            batch.PutWill(will.ToRow(publishAt: null));
        }
        else if (deletesWill)
        {
            batch.DeleteWill(session.ClientId);
        }
    }

    public override void Complete(Exception? error)
    {
        if (_isFenced && isConnected)
        {
            error ??= new StoreException("The session has another owner.");
        }

        if (error is not null && session.StoreEpoch == _row.Epoch)
        {
            session.StoreEpoch = _ownedAt ?? session.StoreEpoch;
        }

        base.Complete(error);
    }
}
