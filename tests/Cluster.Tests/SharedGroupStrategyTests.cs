namespace Broker.Cluster.Tests;

/// <summary>
/// What each strategy promises to a group whose members and publishers are on three silos. The groups are called as
/// <see cref="HealthyCluster"/> configures them.
/// </summary>
public sealed class SharedGroupStrategyTests(ITestOutputHelper output, HealthyCluster healthy) : HealthyClusterTest(output, healthy)
{
    private const int Silos = 3;

    // Two on each silo.
    private const int Members = 6;

    [Fact]
    public async Task Turns_are_exact_whichever_silo_a_message_comes_from()
    {
        await using var group = await SpreadGroup.OfAsync(Cluster, "turns", Members);
        var got = new List<int>();
        for (var i = 0; i < 6 * Members; i++)
        {
            // Not in step with the members' own turns.
            got.Add(await group.PublishAsync(i / 2 % Silos, "turns/t"));
        }

        Assert.Equal(Members, got.Take(Members).Distinct().Count());
        Assert.Equal(got.Take(5 * Members), got.Skip(Members));
    }

    [Fact]
    public async Task Sticky_has_one_member_for_publishers_on_all_silos_until_it_leaves()
    {
        await using var group = await SpreadGroup.OfAsync(Cluster, "sticky", Members);
        var former = new List<int>();
        while (former.Count < Members)
        {
            var got = new List<int>();
            for (var i = 0; i < 2 * Silos; i++)
            {
                got.Add(await group.PublishAsync(i % Silos, $"sticky/{i}"));
            }

            var member = Assert.Single(got.Distinct());
            Assert.DoesNotContain(member, former);
            former.Add(member);
            await group.LeaveAsync(member);
        }
    }

    [Fact]
    public async Task A_publisher_keeps_its_member_whichever_silo_it_comes_through()
    {
        await using var group = await SpreadGroup.OfAsync(Cluster, "client", Members);
        await KeepsAsync(group, async (key, silo) =>
        {
            await using var publisher = await ScriptedClient.ConnectAsync(Cluster.Silos[silo].Mqtt, new ConnectOptions { ClientId = $"client-{key}" });
            var member = await group.PublishAsync(publisher, $"client/{silo}");
            await publisher.DisconnectAsync();
            return member;
        });
    }

    [Fact]
    public async Task A_topic_keeps_its_member_whichever_silo_publishes_to_it()
    {
        await using var group = await SpreadGroup.OfAsync(Cluster, "topic", Members);
        await KeepsAsync(group, (key, silo) => group.PublishAsync(silo, $"topic/{key}"));
    }

    [Fact]
    public async Task Least_in_flight_spares_a_member_elsewhere_that_does_not_acknowledge()
    {
        await using var group = await SpreadGroup.OfAsync(Cluster, "least", Members);
        const int Slow = 4;
        group.Hold(Slow);
        var counts = new int[Members];
        for (var i = 0; i < 15 * Members; i++)
        {
            counts[await group.PublishAsync(i / 2 % Silos, "least/t")]++;
        }

        // In turn it were 15. It gets one, and one more only when that many acknowledgements of all others are on their way.
        Assert.InRange(counts[Slow], 1, 7);
        Assert.All(counts.Where(static (_, member) => member != Slow), count => Assert.True(count > counts[Slow], string.Join(", ", counts)));
    }

    [Fact]
    public async Task Random_reaches_everybody()
    {
        await using var group = await SpreadGroup.OfAsync(Cluster, "random", Members);
        var counts = new int[Members];
        for (var i = 0; i < 120; i++)
        {
            counts[await group.PublishAsync(i % Silos, "random/t")]++;
        }

        // One of six is left out of 120 with a chance of 6 * (5/6)^120: 2 in 10^9.
        Assert.DoesNotContain(0, counts);
    }

    /// <summary>Each key has one member, whichever silo a message with it comes from; keys of others stay when one leaves.</summary>
    private static async Task KeepsAsync(SpreadGroup group, Func<string, int, Task<int>> publish)
    {
        var before = await MembersAsync();

        // 12 keys for 6 members, all of them names that are the same each time.
        Assert.InRange(before.Values.Distinct().Count(), 3, Members);
        var gone = before.Values.First();
        await group.LeaveAsync(gone);
        var after = await MembersAsync();
        Assert.DoesNotContain(gone, after.Values);
        Assert.All(before.Where(pair => pair.Value != gone), pair => Assert.Equal(pair.Value, after[pair.Key]));

        async Task<Dictionary<string, int>> MembersAsync()
        {
            var members = new Dictionary<string, int>();
            for (var key = 0; key < 12; key++)
            {
                var got = new List<int>();
                for (var silo = 0; silo < Silos; silo++)
                {
                    got.Add(await publish($"k{key}", silo));
                }

                members.Add($"k{key}", Assert.Single(got.Distinct()));
            }

            return members;
        }
    }
}
