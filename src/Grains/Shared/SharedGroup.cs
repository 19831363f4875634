using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Grains.Shared;

/// <summary>
/// A shared subscription's group, as the client of the group's session: what that session sends, it lends to a member.
/// <code>
/// waiting ──lent──▶ lent ──acknowledged──▶ done
///    ▲               │ └──moved (QoS 2, durable member)──▶ the member's own
///    └──returned─────┘
/// </code>
/// All of its state is guarded by the lock of the group's session but for the inbox and the flags of members. Whoever holds
/// the lock of a member's session puts what it has to say into the inbox and never calls the group: the way is group, member,
/// and not back (docs/shared-subscriptions.md).
/// </summary>
internal sealed partial class SharedGroup : IClientLink, ILender
{
    private readonly MemberPicker _picker;
    private readonly TimeProvider _time;

    // Messages that are lent to other silos, by their sequence. Guarded by the lock of the group's session.
    private readonly Dictionary<long, (GroupMember Member, Delivery Loan)> _lent = [];
    private volatile GroupMember[] _members = [];
    private volatile QualityOfService _granted;
    private volatile bool _hasDurable;
    private volatile bool _keepsMessages;
    private volatile bool _isStarved = true;
    private QualityOfService _kept;
    private bool _isLoaded;
    private long _choice;

    /// <param name="filter">The whole filter, which is the group's name.</param>
    /// <param name="topicFilter">Topic Filter of the messages.</param>
    /// <param name="session">The group's session.</param>
    public SharedGroup(string filter, string topicFilter, Session session, SharedStrategy strategy, TimeProvider time)
    {
        Filter = filter;
        TopicFilter = topicFilter;
        Session = session;
        _time = time;
        _picker = new MemberPicker(strategy, Random.Shared);
        _isLoaded = session.State == SessionState.Ready;
    }

    public string Filter { get; }

    public string TopicFilter { get; }

    public Session Session { get; }

    /// <summary>
    /// Whether messages are committed for the group: from its first durable member on, until it ends. A group that came from
    /// the store has had one.
    /// </summary>
    public bool KeepsMessages
    {
        get => _keepsMessages;
        set => _keepsMessages = value;
    }

    /// <summary>Members, connected or away.</summary>
    public IReadOnlyList<GroupMember> Members => _members;

    /// <summary>
    /// QoS that messages are kept with: the highest that a member was granted. A durable member counts on when it is not to be
    /// seen, because its silo died or its UNSUBSCRIBE is not committed: what is acknowledged meanwhile is promised to it, and a
    /// member that was granted less is sent it with less.
    /// </summary>
    public QualityOfService Granted => _granted;

    /// <summary>UNSUBSCRIBEs of sessions that have taken their member away and may still be refused. Under the registry's lock.</summary>
    public List<Session> Leaving { get; } = [];

    /// <inheritdoc />
    public ProtocolVersion Version => ProtocolVersion.Mqtt5;

    /// <summary>Adds a member. Under the registry's lock.</summary>
    public void Add(GroupMember member)
    {
        _members = [.. _members, member];
        Review();
    }

    /// <summary>Removes a member. Under the registry's lock.</summary>
    public void Remove(GroupMember member)
    {
        _members = [.. _members.Where(m => m != member)];
        member.HasRoom = false;
        member.IsAway = true;
        Review();
    }

    /// <summary>The group comes from the store: nothing is known of its durable members yet but that it had one.</summary>
    public void KeepEverything()
    {
        KeepsMessages = true;
        _kept = QualityOfService.ExactlyOnce;
        _granted = _kept;
    }

    /// <summary>What members were granted has changed. Under the registry's lock.</summary>
    public void Review()
    {
        var granted = _kept;
        foreach (var member in _members)
        {
            granted = member.Granted > granted ? member.Granted : granted;
            _kept = member.IsDurable && member.Granted > _kept ? member.Granted : _kept;
        }

        _granted = granted;
        _hasDurable = Array.Exists(_members, static m => m.IsDurable);
    }

    /// <inheritdoc />
    public SendStatus TryPublish(scoped in PublishSource source, scoped in DeliveryHeader header)
    {
        var key = _picker.Strategy switch
        {
            SharedStrategy.HashClientId => StableHash.Of(source.Publisher),
            SharedStrategy.HashTopic => StableHash.Of(source.Topic),
            _ => 0ul,
        };
        return header.Delivery is { } loan ? Lend(source, loan, key) : SendOnce(source, header.Retain, key);
    }

    /// <inheritdoc />
    /// <remarks>The group's session itself has no QoS 2 exchange: members do.</remarks>
    public void Acknowledge(PacketType type, ushort packetId, ReasonCode reason)
    {
    }

    /// <summary>A message is with a member whose session is elsewhere. Under the lock of the group's session.</summary>
    public void NoteLent(GroupMember member, Delivery loan) => _lent[loan.Sequence] = (member, loan);

    /// <summary>Whether a member has a message. Under the lock of the group's session.</summary>
    public bool IsLent(long sequence) => _lent.ContainsKey(sequence);

    /// <summary>Such a message is settled; null when it is none. Under the lock of the group's session.</summary>
    public (GroupMember Member, Delivery Loan)? TakeBack(long sequence) =>
        _lent.Remove(sequence, out var lent) ? lent : null;

    /// <summary>Messages that some members have, the last lent first. Under the lock of the group's session.</summary>
    public List<(GroupMember Member, Delivery Loan)> LentTo(Predicate<GroupMember> members) =>
        [.. _lent.Values.Where(lent => members(lent.Member)).OrderByDescending(static lent => lent.Loan.Sequence)];

    /// <inheritdoc />
    public void MemberChanged()
    {
    }

    /// <inheritdoc />
    public void Transfer(LocalMember member, Delivery loan, Delivery own) => Session.Transfer(member, loan, own);

    private SendStatus Lend(scoped in PublishSource source, Delivery loan, ulong key)
    {
        _choice++;
        var isTooLarge = false;
        var isTheSecondLook = false;
        while (true)
        {
            if (Pick(key, loan) is not { } member)
            {
                if (isTheSecondLook)
                {
                    return isTooLarge && !Array.Exists(_members, m => !m.IsAway && m.PassedOver != _choice)
                        ? SendStatus.TooLarge
                        : SendStatus.Full;
                }

                // A member that gets room from here on finds the mark; one that got it before is found by the second look.
                _isStarved = true;
                Interlocked.MemoryBarrier();
                isTheSecondLook = true;
                continue;
            }

            switch (member.TryLend(source, loan))
            {
                case SendStatus.Sent:
                    member.Lent++;
                    return SendStatus.Sent;
                case SendStatus.TooLarge:
                    member.PassedOver = _choice;
                    isTooLarge = true;
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>
    /// What is sent at QoS 2 to a session that ends is lost [MQTT-4.8.2-5]: one that lasts comes first.
    /// </summary>
    private GroupMember? Pick(ulong key, Delivery loan) =>
        loan.Qos == QualityOfService.ExactlyOnce && _hasDurable && _picker.Pick(_members, key, _choice, lastingOnly: true) is { } lasting
            ? lasting
            : _picker.Pick(_members, key, _choice);

    private SendStatus SendOnce(scoped in PublishSource source, bool retain, ulong key)
    {
        var status = SendStatus.Full;
        for (var look = 0; look < 2; look++)
        {
            _choice++;
            while (_picker.Pick(_members, key, _choice) is { } member)
            {
                var answer = member.TrySendOnce(source, retain);
                if (answer == SendStatus.Sent)
                {
                    return SendStatus.Sent;
                }

                member.PassedOver = _choice;
                status = answer == SendStatus.Closed ? status : answer;
            }

            _isStarved = true;
            Interlocked.MemoryBarrier();
        }

        return status == SendStatus.Full && Array.TrueForAll(_members, static m => m.IsAway) ? SendStatus.Closed : status;
    }
}
