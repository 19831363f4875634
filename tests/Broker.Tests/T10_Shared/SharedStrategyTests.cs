namespace Broker.Tests.T10_Shared;

/// <summary>Strategies as clients see them; the choice itself has its own tests.</summary>
public sealed class SharedStrategyTests() : OwnBrokerTest(
    ("Shared:Strategy", "round_robin"),
    ("Shared:Strategies", "sticky=sticky,client=hash_clientid,topic=hash_topic,least=least_inflight,random=random"))
{
    [OwnFact]
    public async Task Turns_are_exact()
    {
        var counts = await CountAsync("turn", publishers: 2, topics: 2, each: 10);
        Assert.Equal([10, 10, 10, 10], counts);
    }

    [OwnFact]
    public async Task Least_in_flight_leaves_nobody_out()
    {
        // How even it is depends on whose acknowledgement is still on its way when the next message comes.
        var counts = await CountAsync("least", publishers: 2, topics: 2, each: 10);
        Assert.All(counts, static count => Assert.NotEqual(0, count));
    }

    [OwnFact]
    public async Task Sticky_has_one_member_until_it_is_gone()
    {
        var counts = await CountAsync("sticky", publishers: 2, topics: 2, each: 10);
        Assert.Equal([0, 0, 0, 40], counts.Order());
    }

    [OwnFact]
    public async Task A_publisher_keeps_its_member()
    {
        var counts = await CountAsync("client", publishers: 1, topics: 4, each: 10);
        Assert.Equal([0, 0, 0, 40], counts.Order());
    }

    [OwnFact]
    public async Task A_topic_keeps_its_member()
    {
        var counts = await CountAsync("topic", publishers: 4, topics: 1, each: 10);
        Assert.Equal([0, 0, 0, 40], counts.Order());
    }

    [OwnFact]
    public async Task Random_reaches_everybody()
    {
        // One of four is left out of 200 with a chance of 4 * 0.75^200.
        var counts = await CountAsync("random", publishers: 2, topics: 2, each: 50);
        Assert.All(counts, static count => Assert.NotEqual(0, count));
    }

    private async Task<int[]> CountAsync(string group, int publishers, int topics, int each)
    {
        var counts = new int[4];
        for (var i = 0; i < counts.Length; i++)
        {
            var member = await ConnectAsync(new ConnectOptions { AcknowledgesByItself = true });
            await member.SubscribeAsync($"$share/{group}/{Topic("+")}", 1);
            var index = i;
            member.Handler = packet => Interlocked.Add(ref counts[index], packet.Type == PacketType.Publish ? 1 : 0);
        }

        var total = publishers * topics * each;
        for (var p = 0; p < publishers; p++)
        {
            var publisher = await ConnectAsync(new ConnectOptions { ClientId = Id($"p{p}") });
            for (var i = 0; i < topics * each; i++)
            {
                var accepted = await publisher.PublishAsync(Topic($"{i % topics}"), "x", 1);
                Assert.Equal(ReasonCode.Success, accepted!.Reason);
                var sent = (p * topics * each) + i + 1;
                await Eventually.TrueAsync(() => counts.Sum() == sent, TimeSpan.FromSeconds(10), () => $"{counts.Sum()} of {sent}");
            }
        }

        Assert.Equal(total, counts.Sum());
        return counts;
    }
}
