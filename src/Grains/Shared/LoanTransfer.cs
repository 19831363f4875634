using Broker.Grains.Sessions;
using Broker.Grains.Storage;

namespace Broker.Grains.Shared;

/// <summary>
/// A QoS 2 message of a group becomes a durable member's own: the group's row is marked as done with and the member's comes,
/// in one transaction. Only then does it leave, because its packet id must be known after a crash (promise 2).
/// </summary>
internal sealed class LoanTransfer(LocalMember member, Delivery loan, Delivery own) : StoreWrite
{
    private bool _isMoved;

    public override int Bytes => own.Size + 128;

    public override bool MustSucceed => true;

    public override void AddTo(IStoreBatch batch)
    {
        var group = loan.Session;
        _isMoved = batch.Owns(own.Session.Number, own.Session.StoreEpoch)
            && (loan.RowState == RowState.None || batch.Owns(group.Number, group.StoreEpoch));
        if (!_isMoved)
        {
            return;
        }

        own.SetRowState(RowState.Taken);
        if (loan.RowState != RowState.None)
        {
            batch.SetReleased(group.Number, loan.Sequence);
        }

        batch.PutMessage(own.MessageNumber, own.Message!, 1);
        batch.PutDelivery(own.ToRow());
    }

    public override void Complete(Exception? error)
    {
        if (error is not null)
        {
            // Repeated until it succeeds; an error means that the broker is stopping.
            return;
        }

        if (_isMoved)
        {
            own.Session.StorageCompleted(own, isCommitted: true);
        }
        else
        {
            own.Session.Withdraw(own);
        }

        member.Lender.Put([new Settlement(member, loan, _isMoved ? LoanOutcome.Moved : LoanOutcome.Returned)]);
        member.Lender.Schedule();
    }
}
