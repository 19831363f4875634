namespace Broker.Grains.Storage;

/// <content>
/// A group whose commit was asked for and not answered. It is neither repeated (its rows could appear twice) nor reported as
/// failed (they may be there): its writes wait until the target has found out. New writes are refused meanwhile, as in any
/// outage, so one group is held at most.
/// </content>
internal sealed partial class GroupCommitter
{
    private readonly List<Posted> _doubt = [];

    private void HoldInDoubt(Exception error)
    {
        _doubt.AddRange(_batch);
        _batch.Clear();
        MarkUnavailable(error);
        RefuseTakenIfLong(error);
    }

    /// <summary>True when nothing is in doubt any more.</summary>
    private bool SettleDoubt()
    {
        if (_doubt.Count == 0)
        {
            return true;
        }

        bool committed;
        try
        {
            committed = _target.Settle();
        }
        catch (Exception error)
        {
            // As for a commit: whatever a provider throws, the writer must live.
            _metrics.Failed();
            MarkUnavailable(error);
            RefuseTakenIfLong(error);
            return false;
        }

        // The group was built before everything that was taken since; what remains of it goes first.
        _batch.AddRange(_doubt);
        _doubt.Clear();
        if (committed)
        {
            Finish();
            return true;
        }

        Retract(_batch, _batch.Count);
        var lost = new StoreException("The connection to the store was lost before the write was committed.");
        if (!MayWait(lost))
        {
            SetRefuses(true);
            RefuseRefusable(lost);
        }

        RequeueBatch();
        return true;
    }

    private void RefuseRefusable(Exception refusal)
    {
        // Asked once: what must succeed may no longer have to a moment later.
        _batch.RemoveAll(posted =>
        {
            if (posted.Write.MustSucceed)
            {
                return false;
            }

            Refuse(posted, refusal);
            return true;
        });
    }

    private void RefuseDoubt()
    {
        foreach (var posted in _doubt)
        {
            Refuse(posted, new StoreException("The store was closed before it was known whether the write was committed."));
        }

        _doubt.Clear();
    }

    private void Retract(List<Posted> writes, int count)
    {
        for (var i = count - 1; i >= 0; i--)
        {
            try
            {
                writes[i].Write.Retract();
            }
            catch (Exception fault)
            {
                // The others must be taken back all the same.
                _logger.CompletionFaulted(fault, writes[i].Write.GetType().Name);
            }
        }
    }
}
