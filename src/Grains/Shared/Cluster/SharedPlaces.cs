using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Shared;
using Broker.Grains.Recovery;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Topics;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Shared.Cluster;

/// <summary>
/// Where groups are: the row of a group's session says which silo has it, as for any other session. The silo with the first
/// member makes the row; when it dies another one adopts it, and the silos with members find it there.
/// </summary>
public sealed partial class SharedPlaces
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // Members of a silo that has just died come back, or are adopted, within this.
    private static readonly TimeSpan EmptyTime = TimeSpan.FromSeconds(10);

    private readonly SharedGroups _groups;
    private readonly ClusterStore _store;
    private readonly IMessageStore _messages;
    private readonly Peers _peers;
    private readonly LocalInterest _interest;
    private readonly SessionAdoption _adoption;
    private readonly StateRecovery _recovery;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly DelayedReviews<SharedGroup> _empty;

    public SharedPlaces(
        SharedGroups groups,
        ClusterStore store,
        IMessageStore messages,
        Peers peers,
        LocalInterest interest,
        SessionAdoption adoption,
        StateRecovery recovery,
        TimeProvider time,
        ILogger<SharedPlaces> logger)
    {
        _groups = groups;
        _store = store;
        _messages = messages;
        _peers = peers;
        _interest = interest;
        _adoption = adoption;
        _recovery = recovery;
        _time = time;
        _logger = logger;
        _empty = new DelayedReviews<SharedGroup>(EmptyTime, time, ReviewAsync);
    }

    /// <summary>From here on groups are those of the cluster; before the first session.</summary>
    public void Open() => _groups.UseCluster(this);

    /// <summary>Another silo's call; see <c>ISiloInbox.Share</c>.</summary>
    public async Task<SharedAnswer> HandleAsync(SharedBatch batch)
    {
        if (_peers.Get(batch.Origin) is not { IsDead: false } silo)
        {
            throw new InvalidOperationException($"Silo {batch.Origin} is dead to this one.");
        }

        var unknown = batch.Members.Where(m => !_groups.Update(silo, m)).Select(static m => m.Group).ToArray();
        if (batch.Members.Length > 0)
        {
            // A member that is told to be part of the group gets what is published anywhere from then on.
            await _interest.AnnouncedAsync();
        }

        _groups.Settle(batch.Settlements);
        if (batch.Messages is { } messages)
        {
            var decoded = MessageBatchCodec.Decode(messages);
            for (var i = 0; i < decoded.Count; i++)
            {
                _groups.Borrow(silo, batch.Loans[i], decoded[i].Message);
            }
        }

        return unknown.Length == 0 ? SharedAnswer.Empty : new SharedAnswer { Unknown = unknown };
    }

    /// <summary>Finds the silo that has a group, or has it made here.</summary>
    /// <param name="isLate">The silo that should have it does not know it yet: it is given a moment.</param>
    internal void Seek(GuestGroup guest, bool isLate = false) => _ = Task.Run(() => SeekAsync(guest, isLate));

    /// <summary>Makes a message of a group elsewhere a durable member's own.</summary>
    internal void Transfer(LocalMember member, Delivery loan, Delivery own)
    {
        if (loan.MessageNumber == 0)
        {
            // It has no row there.
            _messages.Post(new LoanTransfer(member, loan, own));
            return;
        }

        own.SetRowState(RowState.Taken);

        // Elsewhere: the caller holds the lock of the member's session.
        _ = Task.Run(() => MoveAsync(member, (LoanStub)loan, own));
    }

    /// <summary>A group has no members: it ends if that stays so and no durable session has it among its subscriptions.</summary>
    internal void ReviewLater(SharedGroup group) => _empty.Add(group);

    private async Task SeekAsync(GuestGroup guest, bool isLate)
    {
        if (isLate)
        {
            await Task.Delay(Pause, _time);
        }

        while (_groups.IsCurrent(guest))
        {
            try
            {
                if (await TrySeekAsync(guest))
                {
                    return;
                }
            }
            catch (Exception error)
            {
                // The database does not answer, or the silo dies: the members wait for their SUBACK, or for messages.
                NotFound(guest.Filter, error.Message);
            }

            await Task.Delay(Pause, _time);
        }
    }

    private async Task<bool> TrySeekAsync(GuestGroup guest)
    {
        if (await _store.FindAsync(guest.Filter, CancellationToken.None) is not { } place)
        {
            var number = _messages.NextSessionNumber();
            if (await _store.CreateGroupAsync(number, guest.Filter, _time.GetUtcNow().ToUnixTimeMilliseconds(), CancellationToken.None))
            {
                _groups.Created(guest.Filter, number);
            }

            return false;
        }

        if (_store.IsOwn(place))
        {
            // An adoption is about to have it, or the answer of a creation was lost.
            await _adoption.WhenIdleAsync(CancellationToken.None);
            if (_groups.Find(guest.Filter) is null)
            {
                _recovery.AddSessions(await _store.LoadAsync([place.Number], CancellationToken.None), static _ => { });
            }

            return false;
        }

        if (place.IsFenced || place.Silo is null)
        {
            await _adoption.AdoptAllAsync();
            return false;
        }

        if (_peers.Get(place.Silo) is not { IsDead: false } silo)
        {
            return false;
        }

        guest.Found(silo, place.Number);
        return true;
    }

    private async Task MoveAsync(LocalMember member, LoanStub loan, Delivery own)
    {
        bool? moved = null;
        while (moved is null)
        {
            try
            {
                moved = await _store.TakeDeliveryAsync(loan.Group, loan.Sequence, own.ToRow(), CancellationToken.None);
            }
            catch (StoreException error)
            {
                // Nobody else can know what the database has done.
                NotMoved(member.ClientId, error.Message);
                await Task.Delay(Pause, _time);
            }
        }

        if (moved == true)
        {
            own.Session.StorageCompleted(own, isCommitted: true);
        }
        else
        {
            own.Session.Withdraw(own);
        }

        member.Lender.Put([new Settlement(member, loan, moved == true ? LoanOutcome.Moved : LoanOutcome.Returned)]);
        member.Lender.Schedule();
    }

    /// <returns>False when the group is to be looked at again.</returns>
    private async Task<bool> ReviewAsync(SharedGroup group)
    {
        if (group.Members.Count > 0 || _groups.Find(group.Filter) != group)
        {
            return true;
        }

        try
        {
            if (await _store.HasMemberAsync(group.Filter, CancellationToken.None))
            {
                return false;
            }

            _groups.EndEmpty(group);
            return true;
        }
        catch (Exception error)
        {
            // The database does not answer, or the silo stops.
            NotFound(group.Filter, error.Message);
            return false;
        }
    }

    [LoggerMessage(380, LogLevel.Debug, "The group '{Filter}' is not found yet: {Cause}")]
    private partial void NotFound(string filter, string cause);

    [LoggerMessage(381, LogLevel.Debug, "A message of a group could not be made the own of '{ClientId}' yet: {Cause}")]
    private partial void NotMoved(string clientId, string cause);
}
