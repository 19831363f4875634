using Broker.Grains.Messages;
using Broker.Grains.Shared;

namespace Broker.Grains.Sessions;

/// <summary>A session that belongs to a shared subscription's group: its client is the group, which lends to members.</summary>
public sealed partial class Session
{
    // In bits: a million million messages, and eight million owners.
    private const int SequencesOfAnOwner = 40;

    /// <summary>The group whose session this is; null for a client's.</summary>
    internal SharedGroup? Group { get; set; }

    /// <summary>Whether what is delivered from now on has to survive: a group of clean members only keeps nothing.</summary>
    private bool Persists => IsDurable && Group is null or { KeepsMessages: true };

    /// <summary>A group holds what its members might have held without it.</summary>
    private int Shares => Group is null ? 1 : Math.Max(1, Group.Members.Count);

    /// <summary>
    /// The group has come from the store, from another owner perhaps. That one may have numbered messages that never had a row, and lent them to members on other
    /// silos, who name them by these numbers still: they must not be taken for messages that come now. So the numbers of each owner begin above all that
    /// an earlier one can have given; the epoch is raised with each.
    /// </summary>
    internal void NumberAnew()
    {
        lock (_gate)
        {
            _lastSequence = Math.Max(_lastSequence, Epoch << SequencesOfAnOwner);
        }
    }

    /// <summary>Takes in how loans have ended, and lends what that makes room for.</summary>
    /// <param name="settlements">In order: a returned message goes before everything that was returned earlier.</param>
    /// <param name="hasRoom">Whether a member has room that had none.</param>
    internal void Settle(List<Settlement> settlements, bool hasRoom)
    {
        lock (_gate)
        {
            foreach (var settlement in settlements)
            {
                Settle(settlement);
            }

            _isBlocked &= !hasRoom;
            Pump();
        }
    }

    /// <summary>Makes a message a member's own, in one transaction of this silo's.</summary>
    internal void Transfer(LocalMember member, Delivery loan, Delivery own) => _env.Store.Post(new LoanTransfer(member, loan, own));

    /// <summary>Changes something that this session's lock guards.</summary>
    internal void Change(Action change)
    {
        lock (_gate)
        {
            change();
        }
    }

    private void Settle(in Settlement settlement)
    {
        var member = settlement.Member;
        var loan = settlement.Loan;
        if (loan is LoanStub stub)
        {
            if (stub.Group != Number)
            {
                return;
            }

            if (settlement.Outcome == LoanOutcome.Held && Group!.IsLent(stub.Sequence))
            {
                // Its silo has looked for the group anew, and says what is known here.
                return;
            }

            if (Group!.TakeBack(stub.Sequence) is not { } known)
            {
                SettleWaiting(stub, settlement);
                return;
            }

            (member, loan) = known;
        }

        member!.Lent--;
        member.LoanEnded();
        if (loan.List == _inflight)
        {
            _inflight.Remove(loan);
            Settle(loan, settlement.Outcome);
        }
    }

    /// <summary>A row that stays for a while must not be taken for a message that waits, whoever loads it.</summary>
    private void MarkReleased(Delivery loan)
    {
        if (loan.InDoubt != MessageId.None && _env.HoldBack is not null && loan.RowState != RowState.None)
        {
            loan.Released = true;
            _env.Store.Post(new ReleaseWrite(this, loan));
        }
    }

    /// <summary>A message that was lent from another silo, which had this session before.</summary>
    private void SettleWaiting(LoanStub stub, in Settlement settlement)
    {
        var waiting = _queue.All().FirstOrDefault(d => d.Sequence == stub.Sequence);
        if (waiting is null || settlement.Outcome is LoanOutcome.Returned)
        {
            return;
        }

        _queue.Remove(waiting);
        if (settlement.Outcome == LoanOutcome.Held)
        {
            settlement.Member!.Lent++;
            Group!.NoteLent(settlement.Member, waiting);
            AddInflight(waiting);
        }
        else
        {
            Settle(waiting, settlement.Outcome);
        }
    }

    private void Settle(Delivery loan, LoanOutcome outcome)
    {
        switch (outcome)
        {
            case LoanOutcome.Returned:
                _env.Shared.Metrics.Returned();
                _queue.Requeue(loan);
                break;
            case LoanOutcome.Moved:
                // Its row is marked as released already, in the transaction that made the member's.
                loan.Released = true;
                LetGo(loan);
                break;
            case LoanOutcome.Lost:
                Lose(loan, Diagnostics.DropReason.SessionEnded);
                break;
            default:
                NoteSpeed(loan);
                MarkReleased(loan);
                LetGo(loan);
                break;
        }
    }
}
