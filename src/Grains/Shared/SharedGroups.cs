using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Shared.Cluster;
using Broker.Grains.Storage;
using Broker.Protocol;

namespace Broker.Grains.Shared;

/// <summary>
/// The groups of shared subscriptions whose sessions are on this silo: finds those that a publish matches, makes one for the
/// first member and ends it with the last one. A silo without groups pays for a look at one field.
/// </summary>
public sealed partial class SharedGroups
{
    // Result caches are for topics that come again; groups are few.
    private const int CachedTopics = 4096;

    private const long CacheBytes = 4 << 20;

    [ThreadStatic]
    private static MatchBuffer<SharedGroup>? _buffer;

    private readonly SharedStrategies _strategies;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SharedGroup> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<long, SharedGroup> _byNumber = [];
    private volatile FilterIndex<SharedGroup>? _index;

    /// <summary>Whether any group's filter begins with <c>$</c>.</summary>
    public bool HasReserved => _index is { HasReserved: true };
    private SessionTable _sessions = null!;
    private SessionEnvironment _env = null!;

    public SharedGroups(SharedStrategies strategies, SharedMetrics metrics)
    {
        _strategies = strategies;
        Metrics = metrics;
        metrics.Observe(this);
    }

    /// <summary>Numbers.</summary>
    public SharedMetrics Metrics { get; }

    /// <summary>The groups now.</summary>
    internal IReadOnlyList<SharedGroup> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _groups.Values];
            }
        }
    }

    /// <summary>Delivers a message to each group that it matches.</summary>
    /// <param name="passOver">Sessions that have had it already, or get it on another way; null when there are none.</param>
    /// <returns>Number of groups.</returns>
    public int Deliver(scoped ref PublishSource source, Predicate<Session>? passOver, ref PublishRecord? record)
    {
        if (_index is not { FilterCount: > 0 } index)
        {
            return 0;
        }

        var count = 0;
        foreach (var group in index.Match(source.Topic, _buffer ??= new MatchBuffer<SharedGroup>()))
        {
            if (passOver?.Invoke(group.Session) == true)
            {
                continue;
            }

            var qos = source.Qos < group.Granted ? source.Qos : group.Granted;
            count += group.Session.Deliver(ref source, qos, source.Retain, [], ref record) ? 1 : 0;
        }

        return count;
    }

    /// <summary>The group of a filter, if it is on this silo.</summary>
    internal SharedGroup? Find(string filter)
    {
        lock (_gate)
        {
            return _groups.GetValueOrDefault(filter);
        }
    }

    /// <summary>What the sessions of groups live in; before the first subscription.</summary>
    internal void Open(SessionTable sessions, SessionEnvironment environment)
    {
        _sessions = sessions;
        _env = environment;
    }

    /// <summary>A session subscribes to a group's filter. Without the lock of any session.</summary>
    internal LocalMember Join(Subscription subscription)
    {
        lock (_gate)
        {
            var group = _groups.GetValueOrDefault(subscription.Filter);
            if (group is null && _places is null)
            {
                group = Create(subscription.Filter, _env.Store.NextSessionNumber(), out _);
            }

            var guest = group is null ? GuestOf(subscription.Filter) : null;
            var member = new LocalMember((ILender?)group ?? guest!, subscription);
            subscription.Member = member;
            guest?.Add(member);
            if (group is not null)
            {
                Enroll(group, member);
            }

            return member;
        }
    }

    /// <summary>A session has subscribed again, with other options.</summary>
    internal void Changed(Subscription subscription)
    {
        lock (_gate)
        {
            switch (subscription.Member?.Lender)
            {
                case SharedGroup group:
                    group.Review();
                    break;
                case { } guest:
                    guest.MemberChanged();
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>A session subscribes no more. Without the lock of any session.</summary>
    /// <param name="mayEndGroup">Whether that is final. Otherwise the group waits for <see cref="Settled"/> before it ends.</param>
    internal void Leave(Subscription subscription, bool mayEndGroup)
    {
        lock (_gate)
        {
            if (subscription.Member is not { } member)
            {
                return;
            }

            subscription.Member = null;
            switch (member.Lender)
            {
                case SharedGroup group:
                    group.Remove(member);
                    if (mayEndGroup)
                    {
                        EndIfEmpty(group);
                    }
                    else
                    {
                        group.Leaving.Add(subscription.Session);
                    }

                    break;
                case GuestGroup guest:
                    guest.Remove(member);
                    if (guest.MemberCount == 0)
                    {
                        Forget(guest);
                    }

                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>
    /// What a session changed about a filter is committed, or taken back. The group ends if it has nobody and nobody may come
    /// back to it: ended earlier, a group whose member is put back would have lost its messages.
    /// </summary>
    public void Settled(Session session, string filter)
    {
        lock (_gate)
        {
            if (_groups.TryGetValue(filter, out var group))
            {
                group.Leaving.Remove(session);
                EndIfEmpty(group);
            }
        }
    }

    /// <summary>The session of a group has come from the store.</summary>
    /// <returns>False when it is not a group's.</returns>
    internal bool Restore(Session session)
    {
        if (!SharedFilter.TryParse(session.ClientId, out var topicFilter))
        {
            return false;
        }

        Moved moved;
        session.NumberAnew();
        lock (_gate)
        {
            var group = new SharedGroup(session.ClientId, topicFilter, session, _strategies.Of(session.ClientId), _env.Time);
            group.KeepEverything();
            moved = Add(group);
            if (_places is not null)
            {
                EndIfEmpty(group);
            }
        }

        moved.Settle();
        return true;
    }

    /// <summary>Ends groups that have come from the store without their members: those had left when the broker died.</summary>
    internal void EndEmpty()
    {
        lock (_gate)
        {
            foreach (var group in _groups.Values.Where(static g => g.Members.Count == 0).ToList())
            {
                End(group);
            }
        }
    }

    /// <summary>Another process has a group's session: its members here are guests there.</summary>
    internal void Abandoned(SharedGroup group)
    {
        lock (_gate)
        {
            Remove(group);
            if (_places is null)
            {
                return;
            }

            foreach (var member in group.Members.OfType<LocalMember>())
            {
                var guest = GuestOf(group.Filter);
                member.Lender = guest;
                guest.Add(member);
            }
        }
    }

    private SharedGroup Create(string filter, long number, out Moved moved)
    {
        if (!SharedFilter.TryParse(filter, out var topicFilter))
        {
            throw new ArgumentException($"'{filter}' is not the filter of a shared subscription.", nameof(filter));
        }

        var session = _sessions.TryAdd(filter, number, epoch: 1)
            ?? throw new InvalidOperationException($"A session has the name of the group '{filter}'.");
        session.ExpiryInterval = uint.MaxValue;
        session.Version = ProtocolVersion.Mqtt5;
        var group = new SharedGroup(filter, topicFilter, session, _strategies.Of(filter), _env.Time);
        moved = Add(group);
        session.Attach(group, session.Epoch, ushort.MaxValue);
        return group;
    }

    private void Enroll(SharedGroup group, LocalMember member)
    {
        group.Add(member);
        if (member.IsDurable && !group.KeepsMessages)
        {
            if (_places is null)
            {
                // Its row stands in the writer's queue before the messages, and the subscription whose SUBACK promises them.
                _env.Store.Post(new GroupWrite(group.Session));
            }

            group.KeepsMessages = true;
        }
    }

    private Moved Add(SharedGroup group)
    {
        group.Session.Group = group;
        _groups[group.Filter] = group;
        _byNumber[group.Session.Number] = group;
        (_index ??= new FilterIndex<SharedGroup>(CachedTopics, CacheBytes)).Add(Encoding.UTF8.GetBytes(group.TopicFilter), group);
        _env.Interest.Added(group.TopicFilter);
        return TakeGuests(group);
    }

    private void EndIfEmpty(SharedGroup group)
    {
        if (group.Members.Count > 0 || group.Leaving.Count > 0)
        {
            return;
        }

        if (_places is null)
        {
            End(group);
        }
        else
        {
            // Durable members may be where this silo does not know of them yet.
            _places.ReviewLater(group);
        }
    }

    private void End(SharedGroup group)
    {
        Remove(group);

        // In a cluster its row is the database's affair.
        _sessions.End(group.Session, mayBeStored: _places is not null);
    }

    private void Remove(SharedGroup group)
    {
        if (_groups.GetValueOrDefault(group.Filter) == group)
        {
            _groups.Remove(group.Filter);
            _byNumber.Remove(group.Session.Number);
            _index!.Remove(Encoding.UTF8.GetBytes(group.TopicFilter), group);
            _env.Interest.Removed(group.TopicFilter);
        }
    }

    /// <summary>The row of a group's session. It is not known after a crash what was sent: any of it may have been.</summary>
    private sealed class GroupWrite(Session session) : StoreWrite
    {
        private readonly SessionRow _row = new(
            session.Number, session.ClientId, session.Epoch, uint.MaxValue, null, session.CreatedAt, ProtocolVersion.Mqtt5);

        // Without it nothing of the group is ever stored: a failed commit is tried again, as long as the group is there.
        public override bool MustSucceed => !session.SeemsEnded;

        public override void AddTo(IStoreBatch batch)
        {
            // Before the question: the end of a session asks the other way round, so that one of the two sees the other.
            session.StoreEpoch = _row.Epoch;
            if (session.State == SessionState.Ended)
            {
                session.StoreEpoch = 0;
                return;
            }

            batch.PutSession(_row);
        }

        public override void Retract() => session.StoreEpoch = 0;
    }
}
