using System.Text;
using Broker.Gateway.Connections;

namespace Broker.Gateway.Tests.Connections;

public sealed class OutboundAliasesTests
{
    [Fact]
    public void A_topic_gets_a_free_alias_and_then_its_name_is_left_out()
    {
        var aliases = new OutboundAliases(4);

        Assert.Equal((1, false), Send(aliases, "sensors/kitchen"));
        Assert.Equal((1, true), Send(aliases, "sensors/kitchen"));
        Assert.Equal((2, false), Send(aliases, "sensors/cellar"));
        Assert.Equal((1, true), Send(aliases, "sensors/kitchen"));
    }

    [Fact]
    public void Topics_that_come_once_take_no_alias_from_those_that_come_again()
    {
        var aliases = new OutboundAliases(1);
        Send(aliases, "sensors/kitchen");
        Send(aliases, "sensors/kitchen");

        for (var i = 0; i < 500; i++)
        {
            Assert.Equal((0, false), Send(aliases, $"once/{i}"));
        }

        Assert.Equal((1, true), Send(aliases, "sensors/kitchen"));
    }

    [Fact]
    public void Nothing_is_decided_for_a_packet_that_was_not_written()
    {
        var aliases = new OutboundAliases(4);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((1, false), Shown(aliases.Choose("sensors/kitchen"u8)));
        }
    }

    [Fact]
    public void Short_topics_get_none()
    {
        var aliases = new OutboundAliases(4);

        Assert.All(Enumerable.Range(0, 10), _ => Assert.Equal((0, false), Send(aliases, "a/b")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(64)]
    [InlineData(65_535)]
    public void There_are_never_more_than_the_client_allows_or_64(int maximum)
    {
        var aliases = new OutboundAliases(maximum);
        var used = new HashSet<int>();

        for (var round = 0; round < 50; round++)
        {
            for (var i = 0; i < 200; i++)
            {
                for (var twice = 0; twice < 2; twice++)
                {
                    used.Add(Send(aliases, $"house/{i}/temperature").Number);
                }
            }
        }

        used.Remove(0);
        Assert.Equal(Math.Min(maximum, 64), used.Count);
        Assert.Equal(used.Count, used.Max());
    }

    [Fact]
    public void An_alias_always_stands_for_the_name_that_it_was_last_sent_with()
    {
        var aliases = new OutboundAliases(3);
        var known = new string?[4];
        var random = new Random(1);

        for (var i = 0; i < 20_000; i++)
        {
            // Phases, so that aliases change hands.
            var topic = $"house/{i / 2000 * 5 + random.Next(8)}/temperature";
            var (number, isKnown) = Send(aliases, topic);
            if (isKnown)
            {
                Assert.Equal(topic, known[number]);
            }
            else if (number > 0)
            {
                known[number] = topic;
            }
        }

        Assert.All(known[1..], Assert.NotNull);
    }

    [Fact]
    public void The_topics_that_save_most_have_the_aliases()
    {
        var aliases = new OutboundAliases(8);
        var topics = Enumerable.Range(0, 500).Select(i => $"site/{i:000}/" + new string('x', 10 + (i * 7 % 40))).ToArray();

        // Zipf: the topic of rank i comes with probability 1 / (i + 1).
        var weights = topics.Select((_, i) => 1.0 / (i + 1)).ToArray();
        var total = weights.Sum();
        var random = new Random(7);
        long saved = 0;
        const int Messages = 50_000;
        for (var i = 0; i < Messages; i++)
        {
            var at = random.NextDouble() * total;
            var rank = 0;
            while (at > weights[rank])
            {
                at -= weights[rank++];
            }

            saved += Save(aliases, topics[rank]);
        }

        // What the 8 best would save if they were known beforehand; chance may give them a little more than their share.
        var best = topics.Select((topic, i) => weights[i] / total * (topic.Length - 3)).OrderDescending().Take(8).Sum() * Messages;
        Assert.InRange(saved, best * 0.85, best * 1.02);
    }

    [Fact]
    public void A_topic_that_is_not_used_any_more_gives_its_alias_up()
    {
        var aliases = new OutboundAliases(1);
        for (var i = 0; i < 5000; i++)
        {
            Send(aliases, "yesterday/much/used");
        }

        var taken = 0;
        while (!Send(aliases, "today/much/used").IsKnown)
        {
            Assert.InRange(++taken, 0, 5000);
        }
    }

    [Fact]
    public void A_message_allocates_nothing()
    {
        var aliases = new OutboundAliases(4);
        var topics = Enumerable.Range(0, 100).Select(i => Encoding.UTF8.GetBytes($"house/{i:00}/temperature")).ToArray();
        Run(20);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(20);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Run(int rounds)
        {
            for (var i = 0; i < rounds * topics.Length; i++)
            {
                var topic = topics[i % 3 == 0 ? i % topics.Length : i % 5];
                aliases.Sent(aliases.Choose(topic), topic);
            }
        }
    }

    private static (int Number, bool IsKnown) Send(OutboundAliases aliases, string topic)
    {
        var name = Encoding.UTF8.GetBytes(topic);
        var choice = aliases.Choose(name);
        aliases.Sent(choice, name);
        return Shown(choice);
    }

    private static int Save(OutboundAliases aliases, string topic)
    {
        var name = Encoding.UTF8.GetBytes(topic);
        return aliases.Sent(aliases.Choose(name), name);
    }

    private static (int Number, bool IsKnown) Shown(OutboundAliases.Choice choice) => (choice.Number, choice.IsKnown);
}
