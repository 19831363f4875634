using Broker.Grains.Shared;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>How what groups have lent to a session ends.</summary>
public sealed partial class Session
{
    /// <summary>The connection has ended: what was lent goes back, so that the first that was sent ends up first again.</summary>
    private void ReturnLoans()
    {
        if (_memberships is null)
        {
            return;
        }

        _owesRoom = false;
        foreach (var member in _memberships)
        {
            member.IsAway = true;
            member.HasRoom = false;
            member.Lender.MemberChanged();
        }

        var ends = TakeWaiting(static _ => true);
        for (var item = _inflight.Last; item is not null;)
        {
            var previous = item.Previous;
            if (item.Loan is not null)
            {
                _inflight.Remove(item);
                ends.Add(TakeLoan(item, item.Qos == QualityOfService.ExactlyOnce ? LoanOutcome.Lost : LoanOutcome.Returned));
            }

            item = previous;
        }

        EndLoans(ends);
    }

    /// <summary>Takes what was lent and not sent yet out of the queue, the last first, to be given back.</summary>
    private List<(ILender Lender, Settlement End)> TakeWaiting(Predicate<GroupMember> lender)
    {
        var ends = new List<(ILender, Settlement)>();
        foreach (var item in _queue.All().Where(d => d.Loan is not null && lender(d.Lender!)).Reverse().ToList())
        {
            _queue.Remove(item);
            ends.Add(TakeLoan(item, LoanOutcome.Returned));
        }

        return ends;
    }

    /// <summary>
    /// Tells each group at once what has become of all its messages: one that another thread took from the inbox alone would
    /// be lent again before those that go before it are back.
    /// </summary>
    private static void EndLoans(List<(ILender Lender, Settlement End)> ends)
    {
        foreach (var group in ends.GroupBy(static e => e.Lender, static e => e.End))
        {
            group.Key.Put([.. group]);
            LenderTurn.Add(group.Key);
        }
    }

    /// <summary>Tells the group what has become of a message that it has lent; nothing when the message is the session's own.</summary>
    private static void EndLoan(Delivery delivery, LoanOutcome outcome)
    {
        if (delivery.Loan is null)
        {
            return;
        }

        var (lender, end) = TakeLoan(delivery, outcome);
        lender.Put([end]);
        LenderTurn.Add(lender);
    }

    private static (ILender Lender, Settlement End) TakeLoan(Delivery delivery, LoanOutcome outcome)
    {
        var member = delivery.Lender!;
        var end = new Settlement(member, delivery.Loan!, outcome);
        delivery.Loan = null;
        delivery.Lender = null;
        return (member.Lender, end);
    }
}
