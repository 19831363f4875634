using Broker.Grains.Cluster;
using Broker.Grains.Interfaces.Shared;
using Broker.Grains.Sessions;

namespace Broker.Grains.Shared.Cluster;

/// <summary>
/// Stands for a group whose session is on another silo: tells that silo of the members here, and of what has become of the
/// messages that it has lent to them. When that silo dies it keeps what it has to say until the group is found again.
/// <code>
/// sought ──found──▶ told ──its silo dies, or does not know the group──▶ sought
///    └──────────────────┴──the group's session comes here──▶ over
/// </code>
/// </summary>
internal sealed class GuestGroup(string filter, SharedPlaces places) : ILender
{
    private readonly Lock _gate = new();
    private readonly List<LocalMember> _members = [];
    private readonly Dictionary<long, LocalMember> _lent = [];
    private readonly List<SharedSettlement> _kept = [];
    private readonly List<(long Version, TaskCompletionSource Done)> _waiters = [];
    private Peer? _owner;
    private long _version = 1;
    private long _told;
    private bool _isTelling;
    private bool _tellsHeld;
    private bool _isOver;

    public string Filter => filter;

    /// <summary>Number of the group's session; 0 when it was never found.</summary>
    public long Number { get; private set; }

    /// <summary>Number of members here.</summary>
    public int MemberCount
    {
        get
        {
            lock (_gate)
            {
                return _members.Count;
            }
        }
    }

    /// <summary>The members here.</summary>
    public IReadOnlyList<LocalMember> Members
    {
        get
        {
            lock (_gate)
            {
                return [.. _members];
            }
        }
    }

    public void Add(LocalMember member)
    {
        lock (_gate)
        {
            _members.Add(member);
            Change();
        }
    }

    public void Remove(LocalMember member)
    {
        lock (_gate)
        {
            _members.Remove(member);
            Change();
        }
    }

    /// <summary>A message has come for a member; null when that is not here any more.</summary>
    public LocalMember? Borrower(string clientId, long sequence)
    {
        lock (_gate)
        {
            var member = _members.Find(m => m.ClientId == clientId);
            if (member is not null && sequence != 0)
            {
                _lent[sequence] = member;
            }

            return member;
        }
    }

    /// <summary>Completes when the group's silo knows the members that are here now.</summary>
    public Task ReadyAsync()
    {
        lock (_gate)
        {
            if (_isOver || _told >= _version)
            {
                return Task.CompletedTask;
            }

            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((_version, done));
            return done.Task;
        }
    }

    /// <summary>The group is on that silo.</summary>
    public void Found(Peer owner, long number)
    {
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            if (number != Number)
            {
                // What was lent belongs to a group that has ended.
                _lent.Clear();
                _kept.Clear();
            }

            Number = number;
            _owner = owner;
            _tellsHeld = _lent.Count > 0;
            _isTelling = false;
            Change();
            SharedSettlement[] kept = [.. _kept];
            _kept.Clear();
            Send(kept);
        }
    }

    /// <summary>The group's session is here: its members are the group's, and what was lent to them is held.</summary>
    public (List<LocalMember> Members, List<(LocalMember Member, long Sequence)> Held, List<SharedSettlement> Kept) Close()
    {
        lock (_gate)
        {
            _isOver = true;
            _owner = null;
            _waiters.ForEach(static waiter => waiter.Done.TrySetResult());
            _waiters.Clear();
            return ([.. _members], [.. _lent.Select(static l => (l.Value, l.Key))], [.. _kept]);
        }
    }

    /// <summary>That silo is settled: if the group was there, it is elsewhere now.</summary>
    public void OwnerGone(Peer silo)
    {
        lock (_gate)
        {
            if (_owner != silo || _isOver)
            {
                return;
            }

            _owner = null;
        }

        places.Seek(this);
    }

    /// <summary>What the group's silo is told.</summary>
    public SharedMembers Tell(out long version)
    {
        lock (_gate)
        {
            _isTelling = false;
            version = _version;
            var held = _tellsHeld ? _lent.Select(static l => new SharedLoanHeld(l.Value.ClientId, l.Key)) : [];
            _tellsHeld = false;
            return new SharedMembers
            {
                Group = Number,
                Members = [.. _members.Select(static m => new SharedMemberState
                {
                    ClientId = m.ClientId,
                    Granted = m.Granted,
                    IsDurable = m.IsDurable,
                    IsConnected = !m.IsAway,
                    Window = m.Subscription.Session.Window,
                })],
                Held = [.. held],
            };
        }
    }

    /// <summary>It was told.</summary>
    public void Told(long version, IReadOnlyCollection<long> unknown)
    {
        lock (_gate)
        {
            if (!unknown.Contains(Number))
            {
                _told = Math.Max(_told, version);
                foreach (var waiter in _waiters.Where(w => w.Version <= _told))
                {
                    waiter.Done.TrySetResult();
                }

                _waiters.RemoveAll(w => w.Version <= _told);
                return;
            }

            if (_isOver || _owner is null)
            {
                return;
            }

            _owner = null;
        }

        places.Seek(this, isLate: true);
    }

    /// <summary>A silo has gone without taking it: whoever has the group next is told.</summary>
    public void Keep(SharedSettlement[] settlements)
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                _kept.AddRange(settlements.Where(s => s.Group == Number));
            }
        }
    }

    /// <inheritdoc />
    public void Put(ReadOnlySpan<Settlement> settlements)
    {
        var told = new SharedSettlement[settlements.Length];
        lock (_gate)
        {
            for (var i = 0; i < told.Length; i++)
            {
                var settlement = settlements[i];

                // A loan from when the group was here is named by its session.
                var group = settlement.Loan is LoanStub stub ? stub.Group : settlement.Loan.Session.Number;
                if (group == Number)
                {
                    _lent.Remove(settlement.Loan.Sequence);
                }

                told[i] = new SharedSettlement(group, settlement.Loan.Sequence, (byte)settlement.Outcome);
            }

            Send(told);
        }
    }

    /// <inheritdoc />
    public void MemberChanged()
    {
        lock (_gate)
        {
            Change();
        }
    }

    /// <inheritdoc />
    /// <remarks>The group's silo reckons by what is settled.</remarks>
    public bool NoteRoom() => false;

    /// <inheritdoc />
    public void Drain()
    {
    }

    /// <inheritdoc />
    public void Schedule()
    {
    }

    /// <inheritdoc />
    public void Transfer(LocalMember member, Delivery loan, Delivery own) => places.Transfer(member, loan, own);

    private void Change()
    {
        _version++;
        if (_owner is not null && !_isTelling)
        {
            _isTelling = _owner.PostShared(new MembersItem(this, _members.Count));
        }
    }

    private void Send(SharedSettlement[] settlements)
    {
        if (settlements.Length > 0 && (_owner is null || !_owner.PostShared(new SettlementItem(settlements, this))))
        {
            _kept.AddRange(settlements);
        }
    }
}
