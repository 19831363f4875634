using Broker.Grains.Options;
using Broker.Protocol;

namespace Broker.Grains.Shared;

/// <summary>
/// Chooses the member that gets the next message, among those with room: one for each group, used by one thread at a time.
/// Who refuses after all is marked by the caller and chosen around.
/// </summary>
internal sealed class MemberPicker(SharedStrategy strategy, Random random)
{
    private int _next;
    private GroupMember? _sticky;

    public SharedStrategy Strategy => strategy;

    /// <summary>The member to ask; null when nobody has room.</summary>
    /// <param name="members">All members, in an order that lasts.</param>
    /// <param name="key">Hash of what the strategy goes by; 0 for those that go by nothing.</param>
    /// <param name="choice">Number of this choice: members that were passed over in it are left out.</param>
    /// <param name="lastingOnly">Whether a member must keep what it is sent at QoS 2 beyond its connection, or get it at a lower QoS.</param>
    public GroupMember? Pick(ReadOnlySpan<GroupMember> members, ulong key, long choice, bool lastingOnly = false)
    {
        var among = new Candidates(members, choice, lastingOnly);
        return members.IsEmpty ? null : strategy switch
        {
            SharedStrategy.Random => Following(among, random.Next(members.Length), out _),
            SharedStrategy.Sticky => Sticky(among),
            SharedStrategy.HashClientId or SharedStrategy.HashTopic => Nearest(among, key),
            SharedStrategy.LeastInflight => LeastLent(among),
            _ => InTurn(among),
        };
    }

    private static GroupMember? Following(in Candidates among, int start, out int index)
    {
        for (var i = 0; i < among.Count; i++)
        {
            index = start + i < among.Count ? start + i : start + i - among.Count;
            if (among.Accept(index) is { } member)
            {
                return member;
            }
        }

        index = -1;
        return null;
    }

    private GroupMember? InTurn(in Candidates among)
    {
        var member = Following(among, _next % among.Count, out var index);
        _next = member is null ? _next : index + 1;
        return member;
    }

    private GroupMember? LeastLent(in Candidates among)
    {
        GroupMember? least = null;
        var at = -1;
        for (var i = 0; i < among.Count; i++)
        {
            var index = (_next + i) % among.Count;
            if (among.Accept(index) is { } member && (least is null || member.Lent < least.Lent))
            {
                least = member;
                at = index;
            }
        }

        // Nobody had room: whose turn it is stays.
        _next = least is null ? _next : at + 1;
        return least;
    }

    /// <summary>
    /// The member whose hash, together with the key's, is highest: each key has an order of preference of its own, and a
    /// member that comes or goes moves no key but its own.
    /// </summary>
    private static GroupMember? Nearest(in Candidates among, ulong key)
    {
        GroupMember? nearest = null;
        ulong highest = 0;
        for (var i = 0; i < among.Count; i++)
        {
            if (among.Accept(i) is { } member)
            {
                var weight = StableHash.Mix(member.Hash ^ key);
                if (nearest is null || weight > highest)
                {
                    nearest = member;
                    highest = weight;
                }
            }
        }

        return nearest;
    }

    private GroupMember? Sticky(in Candidates among)
    {
        if (_sticky is { IsAway: false } sticky)
        {
            // Others help out while it has no room; it stays the one.
            return among.Accept(sticky) ?? Nearest(among, 0);
        }

        return _sticky = Nearest(among, 0);
    }

    private readonly ref struct Candidates(ReadOnlySpan<GroupMember> members, long choice, bool lastingOnly)
    {
        private readonly ReadOnlySpan<GroupMember> _members = members;
        private readonly long _choice = choice;
        private readonly bool _lastingOnly = lastingOnly;

        public int Count => _members.Length;

        public GroupMember? Accept(int index) => Accept(_members[index]);

        public GroupMember? Accept(GroupMember member) =>
            member.HasRoom && member.PassedOver != _choice && (!_lastingOnly || Lasts(member)) ? member : null;

        private static bool Lasts(GroupMember member) => member.IsDurable || member.Granted < QualityOfService.ExactlyOnce;
    }
}
