using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Broker.Protocol;
using Xunit;
using Xunit.Abstractions;
using StableHash = Broker.Grains.Shared.StableHash;

namespace Broker.Grains.Tests.Shared;

/// <summary>The choice of a member, without sessions: who is chosen, how evenly, and who keeps what when members change.</summary>
public sealed class MemberPickerTests(ITestOutputHelper output)
{
    private long _choice;

    public static TheoryData<SharedStrategy, int> StrategiesAndSizes()
    {
        var data = new TheoryData<SharedStrategy, int>();
        foreach (var strategy in Enum.GetValues<SharedStrategy>().Where(static s => s != SharedStrategy.Sticky))
        {
            data.Add(strategy, 2);
            data.Add(strategy, 10);
            data.Add(strategy, 100);
        }

        return data;
    }

    /// <summary>Turns are exact; chance and hashes stay within what chance allows.</summary>
    [Theory]
    [MemberData(nameof(StrategiesAndSizes))]
    public void Messages_are_spread_evenly(SharedStrategy strategy, int size)
    {
        const int Each = 1000;
        var members = Members(size);
        var picker = new MemberPicker(strategy, new Random(1));
        var counts = new int[size];
        for (var i = 0; i < size * Each; i++)
        {
            var member = Pick(picker, members, StableHash.Of($"key {i}"))!;
            member.Lent++;
            counts[Array.IndexOf(members, member)]++;
        }

        output.WriteLine($"{strategy}, {size} members, {Each} messages each: {counts.Min()} to {counts.Max()}");
        if (strategy is SharedStrategy.RoundRobin or SharedStrategy.LeastInflight)
        {
            Assert.All(counts, count => Assert.Equal(Each, count));
        }
        else
        {
            // Five standard deviations of a fair draw, which is 32 at 1,000; 100 draws of it leave that once in 20,000 runs.
            Assert.All(counts, count => Assert.InRange(count, Each - 160, Each + 160));
        }
    }

    [Theory]
    [InlineData(SharedStrategy.RoundRobin)]
    [InlineData(SharedStrategy.Random)]
    [InlineData(SharedStrategy.Sticky)]
    [InlineData(SharedStrategy.HashClientId)]
    [InlineData(SharedStrategy.HashTopic)]
    [InlineData(SharedStrategy.LeastInflight)]
    public void A_member_without_room_is_passed_over_and_nobody_is_chosen_when_all_are(SharedStrategy strategy)
    {
        var members = Members(5);
        var picker = new MemberPicker(strategy, new Random(1));
        members[2].HasRoom = false;
        for (var i = 0; i < 100; i++)
        {
            Assert.NotSame(members[2], Pick(picker, members, (ulong)i));
        }

        Array.ForEach(members, static m => m.HasRoom = false);
        Assert.Null(Pick(picker, members, 1));
        Assert.Null(Pick(picker, [], 1));
        members[3].HasRoom = true;
        Assert.Same(members[3], Pick(picker, members, 1));
    }

    [Fact]
    public void A_member_that_has_refused_is_not_asked_again_in_the_same_choice()
    {
        var members = Members(3);
        var picker = new MemberPicker(SharedStrategy.RoundRobin, new Random(1));
        var asked = new HashSet<GroupMember>();
        while (picker.Pick(members, 0, 7) is { } member)
        {
            Assert.True(asked.Add(member));
            member.PassedOver = 7;
        }

        Assert.Equal(3, asked.Count);
        Assert.NotNull(picker.Pick(members, 0, 8));
    }

    [Fact]
    public void Sticky_stays_with_its_member_and_comes_back_to_it_until_it_leaves()
    {
        var members = Members(10);
        var picker = new MemberPicker(SharedStrategy.Sticky, new Random(1));
        var first = Pick(picker, members, 0)!;
        Assert.All(Enumerable.Range(0, 50), _ => Assert.Same(first, Pick(picker, members, 0)));

        first.HasRoom = false;
        var helper = Pick(picker, members, 0)!;
        Assert.NotSame(first, helper);
        first.HasRoom = true;
        Assert.Same(first, Pick(picker, members, 0));

        first.IsAway = true;
        first.HasRoom = false;
        Assert.Same(helper, Pick(picker, members, 0));
        first.IsAway = false;
        first.HasRoom = true;
        Assert.Same(helper, Pick(picker, members, 0));
    }

    [Theory]
    [InlineData(SharedStrategy.HashClientId)]
    [InlineData(SharedStrategy.HashTopic)]
    public void A_hash_moves_only_the_keys_of_the_member_that_leaves(SharedStrategy strategy)
    {
        var members = Members(10);
        var picker = new MemberPicker(strategy, new Random(1));
        var keys = Enumerable.Range(0, 1000).Select(static i => StableHash.Of($"key {i}")).ToList();
        var before = keys.ConvertAll(key => Pick(picker, members, key)!);
        Assert.Equal(before, keys.ConvertAll(key => Pick(picker, members, key)!));

        var fewer = members.Where((_, i) => i != 4).ToArray();
        for (var i = 0; i < keys.Count; i++)
        {
            var after = Pick(picker, fewer, keys[i]);
            Assert.True(before[i] == members[4] || before[i] == after);
        }
    }

    [Fact]
    public void Two_processes_choose_the_same_by_hash()
    {
        var here = Members(7);
        var there = Members(7).Reverse().ToArray();
        for (var i = 0; i < 100; i++)
        {
            var key = StableHash.Of($"key {i}");
            Assert.Equal(
                Pick(new MemberPicker(SharedStrategy.HashTopic, new Random(1)), here, key)!.ClientId,
                Pick(new MemberPicker(SharedStrategy.HashTopic, new Random(2)), there, key)!.ClientId);
        }
    }

    [Fact]
    public void Least_inflight_chooses_who_has_least()
    {
        var members = Members(4);
        var picker = new MemberPicker(SharedStrategy.LeastInflight, new Random(1));
        (members[0].Lent, members[1].Lent, members[2].Lent, members[3].Lent) = (5, 3, 4, 3);
        Assert.Same(members[1], Pick(picker, members, 0));
        Assert.Same(members[3], Pick(picker, members, 0));
    }

    [Fact]
    public void What_must_last_goes_to_members_that_last_or_take_it_at_a_lower_QoS()
    {
        var members = Members(3);
        members[0].Lasts = true;
        members[1].Qos = QualityOfService.AtLeastOnce;
        var picker = new MemberPicker(SharedStrategy.RoundRobin, new Random(1));
        for (var i = 0; i < 10; i++)
        {
            Assert.NotSame(members[2], picker.Pick(members, 0, ++_choice, lastingOnly: true));
        }
    }

    [Theory]
    [InlineData("", "$share/g/a", SharedStrategy.Random)]
    [InlineData("g=sticky", "$share/g/a", SharedStrategy.Sticky)]
    [InlineData("g = hash_topic , h=LeastInflight", "$share/h/a/b", SharedStrategy.LeastInflight)]
    [InlineData("g=sticky,$queue=round_robin", "$queue/g/a", SharedStrategy.RoundRobin)]
    public void A_group_may_have_a_strategy_of_its_own(string text, string filter, SharedStrategy expected)
    {
        Assert.True(SharedStrategies.TryParse(new SharedOptions { Strategy = SharedStrategy.Random, Strategies = text }, out var strategies));
        Assert.Equal(expected, strategies.Of(filter));
    }

    [Theory]
    [InlineData("g")]
    [InlineData("=sticky")]
    [InlineData("g=nobody")]
    [InlineData("g=1")]
    public void Strategies_of_another_form_are_refused(string text) =>
        Assert.False(SharedStrategies.TryParse(new SharedOptions { Strategies = text }, out _));

    private static FakeMember[] Members(int count) =>
        [.. Enumerable.Range(0, count).Select(static i => new FakeMember($"member {i}") { HasRoom = true, IsAway = false })];

    private GroupMember? Pick(MemberPicker picker, GroupMember[] members, ulong key) => picker.Pick(members, key, ++_choice);

    private sealed class FakeMember(string clientId) : GroupMember(clientId)
    {
        public bool Lasts { get; set; }

        public QualityOfService Qos { get; set; } = QualityOfService.ExactlyOnce;

        public override bool IsDurable => Lasts;

        public override QualityOfService Granted => Qos;

        public override SendStatus TryLend(scoped in PublishSource source, Delivery loan) => throw new NotSupportedException();

        public override SendStatus TrySendOnce(scoped in PublishSource source, bool retain) => throw new NotSupportedException();
    }
}
