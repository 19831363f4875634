using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Shared;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Shared.Cluster;
using Broker.Protocol;

namespace Broker.Grains.Shared;

/// <summary>In a cluster: groups whose sessions are on other silos, and members of this silo's groups that are.</summary>
public sealed partial class SharedGroups
{
    private readonly Dictionary<string, GuestGroup> _guests = new(StringComparer.Ordinal);

    // By the number of the group's session as it was when it was last looked for; checked when it is found.
    private readonly Dictionary<long, GuestGroup> _guestsByNumber = [];
    private SharedPlaces? _places;

    /// <summary>Groups of other silos with members here.</summary>
    internal IReadOnlyList<GuestGroup> Guests
    {
        get
        {
            lock (_gate)
            {
                return [.. _guests.Values];
            }
        }
    }

    /// <summary>
    /// Completes when the group of a filter exists and knows of its members here: a SUBACK that waits for it, and for the
    /// silo's interest, is true everywhere.
    /// </summary>
    /// <param name="filter">Any filter; a plain one is always ready.</param>
    public Task ReadyAsync(string filter)
    {
        lock (_gate)
        {
            return _guests.TryGetValue(filter, out var guest) ? guest.ReadyAsync() : Task.CompletedTask;
        }
    }

    /// <summary>Members of a filter's group whose sessions are here.</summary>
    internal IReadOnlyList<GroupMember> LocalMembers(string filter)
    {
        lock (_gate)
        {
            return _groups.TryGetValue(filter, out var group) ? [.. group.Members.OfType<LocalMember>()]
                : _guests.TryGetValue(filter, out var guest) ? guest.Members : [];
        }
    }

    internal void UseCluster(SharedPlaces places) => _places = places;

    /// <summary>Whether a group still has members here and none of the groups here.</summary>
    internal bool IsCurrent(GuestGroup guest)
    {
        lock (_gate)
        {
            return _guests.GetValueOrDefault(guest.Filter) == guest;
        }
    }

    /// <summary>This silo has made the row of a group's session.</summary>
    internal void Created(string filter, long number)
    {
        Moved moved;
        lock (_gate)
        {
            var session = Create(filter, number, out moved).Session;
            session.StoreEpoch = session.Epoch;
        }

        moved.Settle();
    }

    /// <summary>Takes in what another silo says of its members.</summary>
    /// <returns>False when the group is not here.</returns>
    internal bool Update(Peer silo, SharedMembers update)
    {
        SharedGroup group;
        var members = new Dictionary<string, GroupMember>(StringComparer.Ordinal);
        lock (_gate)
        {
            if (!_byNumber.TryGetValue(update.Group, out group!))
            {
                return false;
            }

            var states = update.Members.ToDictionary(static m => m.ClientId, StringComparer.Ordinal);
            foreach (var known in group.Members.OfType<RemoteMember>().Where(m => m.Silo == silo).ToList())
            {
                if (!states.Remove(known.ClientId, out var state))
                {
                    group.Remove(known);
                    continue;
                }

                group.Session.Change(() => known.Update(state));
                members[known.ClientId] = known;
            }

            foreach (var state in states.Values)
            {
                var added = new RemoteMember(group, silo, state);
                added.Update(state);
                group.Add(added);
                members[state.ClientId] = added;
            }

            group.KeepsMessages |= update.Members.Any(static m => m.IsDurable);
            group.Review();
            EndIfEmpty(group);
        }

        foreach (var held in update.Held)
        {
            if (members.TryGetValue(held.ClientId, out var member))
            {
                group.Put([new Settlement(member, Stub(group, held.Sequence), LoanOutcome.Held)]);
            }
        }

        group.NoteRoom();
        group.Schedule();
        return true;
    }

    /// <summary>Another silo tells how loans have ended.</summary>
    internal void Settle(IReadOnlyList<SharedSettlement> settlements)
    {
        foreach (var some in settlements.GroupBy(static s => s.Group))
        {
            SharedGroup? group;
            lock (_gate)
            {
                group = _byNumber.GetValueOrDefault(some.Key);
            }

            if (group is not null)
            {
                group.Put([.. some.Select(s => new Settlement(null, Stub(group, s.Sequence), (LoanOutcome)s.Outcome))]);
                group.NoteRoom();
                group.Drain();
            }
        }
    }

    /// <summary>Another silo lends a message to a member that should be here.</summary>
    internal void Borrow(Peer silo, SharedLoan loan, ApplicationMessage message)
    {
        GuestGroup? guest;
        lock (_gate)
        {
            guest = GuestBy(loan.Group);
        }

        var member = guest?.Borrower(loan.ClientId, loan.Sequence);
        var source = new PublishSource(message);
        if (loan.Sequence == 0)
        {
            if (member?.TrySendOnce(source, loan.Retain) != SendStatus.Sent)
            {
                _env.Drops.Add(loan.ClientId, message.Topic, Diagnostics.DropReason.SlowConsumer, 1, message.Id);
            }

            return;
        }

        if (member is null)
        {
            silo.PostShared(new SettlementItem([new SharedSettlement(loan.Group, loan.Sequence, (byte)LoanOutcome.Returned)], guest));
            return;
        }

        Borrow(guest!, member, loan, message, source);
    }

    /// <summary>A silo is dead and shut out: what its members had goes to others, but for what they have made their own.</summary>
    internal async Task SiloGoneAsync(Peer silo)
    {
        foreach (var group in All)
        {
            List<(GroupMember Member, Delivery Loan)> lent = [];
            lock (_gate)
            {
                foreach (var member in group.Members.OfType<RemoteMember>().Where(m => m.Silo == silo).ToList())
                {
                    group.Remove(member);
                }
            }

            group.Session.Change(() => lent = group.LentTo(m => m is RemoteMember remote && remote.Silo == silo));
            if (lent.Count > 0)
            {
                var rows = lent.Exists(static l => IsOwned(l.Member, l.Loan))
                    ? (await _env.Store.LoadDeliveriesAsync(group.Session.Number, CancellationToken.None))
                        .Where(static d => !d.Released).Select(static d => d.Sequence).ToHashSet()
                    : [];
                group.Put([.. lent.Select(l => new Settlement(null, Stub(group, l.Loan.Sequence), OutcomeOf(l, rows)))]);
                group.Schedule();
            }

            lock (_gate)
            {
                EndIfEmpty(group);
            }
        }
    }

    /// <summary>What was on a dead silo is elsewhere now.</summary>
    internal void SiloSettled(Peer silo)
    {
        foreach (var guest in Guests)
        {
            guest.OwnerGone(silo);
        }
    }

    /// <summary>Ends a group that has had no member for some time, and no durable one anywhere.</summary>
    internal void EndEmpty(SharedGroup group)
    {
        lock (_gate)
        {
            if (group.Members.Count == 0 && _groups.GetValueOrDefault(group.Filter) == group)
            {
                End(group);
            }
        }
    }

    private static bool IsOwned(GroupMember member, Delivery loan) =>
        member.IsDurable && loan.Qos == QualityOfService.ExactlyOnce && member.Granted == QualityOfService.ExactlyOnce;

    private static LoanOutcome OutcomeOf((GroupMember Member, Delivery Loan) lent, HashSet<long> rows) =>
        IsOwned(lent.Member, lent.Loan) ? rows.Contains(lent.Loan.Sequence) ? LoanOutcome.Returned : LoanOutcome.Moved
        : lent.Loan.Qos == QualityOfService.ExactlyOnce && lent.Member.Granted == QualityOfService.ExactlyOnce ? LoanOutcome.Lost
        : LoanOutcome.Returned;

    private static LoanStub Stub(SharedGroup group, long sequence) =>
        new() { Session = group.Session, Group = group.Session.Number, Sequence = sequence };

    private void Borrow(GuestGroup guest, LocalMember member, SharedLoan loan, ApplicationMessage message, in PublishSource source)
    {
        var stub = new LoanStub
        {
            Session = member.Subscription.Session,
            Group = loan.Group,
            Sequence = loan.Sequence,
            Qos = loan.Qos,
            Retain = loan.Retain,
            Size = message.Size,
            ExpiresAt = message.ExpiresAt,
            MessageNumber = loan.Message,
            Message = message,
            WasSent = loan.WasSent,
        };
        switch (member.Subscription.Session.TryBorrow(member, source, stub, mayWait: true))
        {
            case SendStatus.Sent:
                return;
            case SendStatus.TooLarge:
                _env.Drops.Add(member.ClientId, message.Topic, Diagnostics.DropReason.TooLarge, 1, message.Id);
                guest.Put([new Settlement(member, stub, LoanOutcome.Acknowledged)]);
                return;
            case SendStatus.Full:
                // At the member's QoS 0 it is not kept.
                _env.Drops.Add(member.ClientId, message.Topic, Diagnostics.DropReason.SlowConsumer, 1, message.Id);
                guest.Put([new Settlement(member, stub, LoanOutcome.Acknowledged)]);
                return;
            default:
                guest.Put([new Settlement(member, stub, LoanOutcome.Returned)]);
                return;
        }
    }

    private GuestGroup? GuestBy(long number)
    {
        if (_guestsByNumber.TryGetValue(number, out var known) && known.Number == number)
        {
            return known;
        }

        _guestsByNumber.Remove(number);
        if (_guests.Values.FirstOrDefault(g => g.Number == number) is { } found)
        {
            _guestsByNumber[number] = found;
            return found;
        }

        return null;
    }

    private void Forget(GuestGroup guest)
    {
        _guests.Remove(guest.Filter);
        foreach (var (number, _) in _guestsByNumber.Where(g => g.Value == guest).ToList())
        {
            _guestsByNumber.Remove(number);
        }
    }

    private GuestGroup GuestOf(string filter)
    {
        if (!_guests.TryGetValue(filter, out var guest))
        {
            guest = new GuestGroup(filter, _places!);
            _guests.Add(filter, guest);
            _places!.Seek(guest);
        }

        return guest;
    }

    /// <summary>The members that a group had here while it was elsewhere are its own now.</summary>
    private Moved TakeGuests(SharedGroup group)
    {
        if (!_guests.TryGetValue(group.Filter, out var guest))
        {
            return default;
        }

        Forget(guest);
        var (members, held, kept) = guest.Close();
        foreach (var member in members)
        {
            member.Lender = group;
            Enroll(group, member);
        }

        if (guest.Number == group.Session.Number)
        {
            group.Put([.. held.Select(h => new Settlement(h.Member, Stub(group, h.Sequence), LoanOutcome.Held))]);
            group.Put([.. kept.Select(k => new Settlement(null, Stub(group, k.Sequence), (LoanOutcome)k.Outcome))]);
        }

        return new Moved(group, members);
    }

    /// <summary>What is left to do for members that have another lender, once no lock is held.</summary>
    private readonly record struct Moved(ILender Lender, List<LocalMember>? Members)
    {
        public void Settle()
        {
            foreach (var member in Members ?? [])
            {
                member.Subscription.Session.Rejoin(member);
            }

            Lender?.Schedule();
        }
    }
}
