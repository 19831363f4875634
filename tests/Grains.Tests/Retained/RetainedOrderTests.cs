using System.Text;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Retained;
using Broker.Grains.Storage;
using Xunit;

namespace Broker.Grains.Tests.Retained;

/// <summary>The newest publish wins on every silo and in the store, in whatever order they hear of it.</summary>
public sealed class RetainedOrderTests
{
    private const string Topic = "a/b";

    [Fact]
    public void Every_order_of_arrival_ends_with_the_highest_version()
    {
        string[] texts = ["one", "", "three", "", "five"];
        for (var last = 1; last <= texts.Length; last++)
        {
            List<ApplicationMessage> messages =
                [.. texts[..last].Select((text, i) => Replica.Message(Topic, text, new MessageId((ulong)i + 1, 1)))];
            var expected = texts[last - 1].Length == 0 ? null : texts[last - 1];
            foreach (var order in Permutations(messages))
            {
                var replica = new Replica(1);
                foreach (var message in order.Append(order[0]))
                {
                    replica.Follow(message);
                }

                Assert.Equal(expected, replica[Topic]);
                Assert.Equal(expected is null ? 0 : 1, replica.Messages.Count);
            }
        }
    }

    [Fact]
    public void Silos_with_different_clocks_come_to_the_same_as_the_store()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var world = new World(random, silos: 4);
            for (var step = 0; step < 120; step++)
            {
                world.Step();
            }

            world.Finish();
            foreach (var topic in World.Topics)
            {
                var expected = world.Row(topic);
                Assert.All(world.Silos, silo => Assert.True(expected == silo[topic], $"seed {seed}, {topic}: '{silo[topic]}', row '{expected}'"));
            }
        }
    }

    [Fact]
    public void Who_knows_of_a_message_replaces_it_however_far_behind_its_clock_is()
    {
        var ahead = new Replica(1, TimeSpan.FromHours(1));
        var behind = new Replica(2, TimeSpan.FromHours(-1));
        var first = ahead.Publish(Topic, "first");
        behind.Follow(first);
        var second = behind.Publish(Topic, "second");
        ahead.Follow(second);

        Assert.True(second.Id > first.Id);
        Assert.Equal("second", ahead[Topic]);
        Assert.Equal("second", behind[Topic]);
    }

    [Fact]
    public void A_broker_whose_clock_was_set_back_replaces_what_it_has_stored()
    {
        var before = new Replica(1, TimeSpan.FromHours(5)).Publish(Topic, "before");
        var after = new Replica(1);
        after.Messages.Load([new RetainedRow(Topic, 7, before)]);

        after.Publish(Topic, "after");

        Assert.Equal("after", after[Topic]);
    }

    [Fact]
    public void A_message_that_one_silo_refuses_to_retain_is_retained_by_none()
    {
        var strict = new Replica(1, limits: new RetainedOptions { MaxCount = 1 });
        var other = new Replica(2, limits: new RetainedOptions { MaxCount = 1 });
        other.Follow(strict.Publish("x", "kept"));
        var message = strict.Publish(Topic, "too many");
        other.Follow(message);

        Assert.True(message.IsRetainRefused);
        Assert.Null(other[Topic]);
        other.Follow(Replica.Message(Topic, "over this silo's own limit", new MessageId(ulong.MaxValue / 4, 1)));
        Assert.NotNull(other[Topic]);
    }

    [Fact]
    public void What_has_expired_does_not_give_way_to_what_is_older()
    {
        var replica = new Replica(1);
        replica.Follow(Replica.Message(Topic, "short", new MessageId(5, 1), expiresAt: 1000));
        Assert.Equal((Topic, new MessageId(5, 1)), Assert.Single(replica.Messages.RemoveExpired(1001)));

        replica.Follow(Replica.Message(Topic, "older", new MessageId(4, 1)));
        Assert.Null(replica[Topic]);
        replica.Follow(Replica.Message(Topic, "newer", new MessageId(6, 1)));
        Assert.Equal("newer", replica[Topic]);
    }

    [Fact]
    public void Clears_are_remembered_for_ten_minutes_and_up_to_a_number()
    {
        var cleared = new ClearedTopics(capacity: 3);
        for (var i = 1; i <= 5; i++)
        {
            cleared.Add($"t{i % 4}", new MessageId((ulong)i, 0));
        }

        // t1 was cleared twice: what is forgotten with its first clear is not the second.
        Assert.Equal(["t0", "t1", "t3"], cleared.All.Select(static c => c.Key).Order());
        for (var age = 1; age < ClearedTopics.Ages; age++)
        {
            cleared.Age();
        }

        cleared.Add("late", new MessageId(9, 0));
        cleared.Age();
        Assert.Equal("late", Assert.Single(cleared.All).Key);
    }

    [Fact]
    public void What_came_from_one_silo_lately_is_told_apart_from_all_else()
    {
        var replica = new Replica(1);
        replica.Follow(Replica.Message("old", "x", Id(2, TimeSpan.Zero)));
        replica.Follow(Replica.Message("set", "x", Id(2, TimeSpan.FromMinutes(20))));
        replica.Follow(Replica.Message("cleared", "", Id(2, TimeSpan.FromMinutes(25))));
        replica.Follow(Replica.Message("other", "x", Id(3, TimeSpan.FromMinutes(25))));

        Assert.Equal(["cleared", "set"], replica.Messages.Latest(2, TimeSpan.FromMinutes(10)).Select(static t => t.Topic).Order());
        Assert.Empty(replica.Messages.Latest(4, TimeSpan.FromMinutes(10)));

        static MessageId Id(ushort node, TimeSpan time) =>
            new((ulong)(TimeSpan.FromDays(1) + time).TotalMicroseconds, (ulong)node << 48);
    }

    private static IEnumerable<List<ApplicationMessage>> Permutations(List<ApplicationMessage> all) =>
        all.Count <= 1 ? [all]
        : all.SelectMany(first => Permutations([.. all.Where(m => m != first)]).Select(rest => (List<ApplicationMessage>)[first, .. rest]));

    /// <summary>Silos that publish, forward in order on edges that are as slow as chance has it, and write rows.</summary>
    private sealed class World
    {
        public static readonly string[] Topics = ["a", "b"];

        private readonly Random _random;
        private readonly Dictionary<(int From, int To), Queue<ApplicationMessage>> _edges = [];
        private readonly List<(int Silo, string Topic, MessageId Version)> _writes = [];

        // By the rule of the rows in the store, see the tests of that.
        private readonly Dictionary<string, (MessageId Version, string? Text)> _rows = [];

        public World(Random random, int silos)
        {
            _random = random;
            Silos = [.. Enumerable.Range(0, silos).Select(i => new Replica((ushort)(i + 1), TimeSpan.FromSeconds(random.Next(-30, 30))))];
            foreach (var from in Enumerable.Range(0, silos))
            {
                foreach (var to in Enumerable.Range(0, silos).Where(to => to != from))
                {
                    _edges[(from, to)] = new Queue<ApplicationMessage>();
                }
            }
        }

        public List<Replica> Silos { get; }

        public string? Row(string topic) => _rows.GetValueOrDefault(topic).Text;

        public void Step()
        {
            var silo = _random.Next(Silos.Count);
            Silos[silo].Time.Now += TimeSpan.FromMicroseconds(_random.Next(-1, 3));
            switch (_random.Next(3))
            {
                case 0:
                    Publish(silo);
                    break;
                case 1 when _writes.Count > 0:
                    Write(_random.Next(_writes.Count));
                    break;
                default:
                    Carry(_edges.Keys.ElementAt(_random.Next(_edges.Count)));
                    break;
            }
        }

        public void Finish()
        {
            while (_writes.Count > 0)
            {
                Write(_random.Next(_writes.Count));
            }

            while (_edges.Where(e => e.Value.Count > 0).Select(e => e.Key).ToList() is { Count: > 0 } waiting)
            {
                Carry(waiting[_random.Next(waiting.Count)]);
            }
        }

        private void Publish(int silo)
        {
            var topic = Topics[_random.Next(Topics.Length)];
            var message = Silos[silo].Publish(topic, _random.Next(3) == 0 ? "" : $"{_random.Next(1_000_000)}");
            _writes.Add((silo, topic, message.Id));
            foreach (var (edge, waiting) in _edges)
            {
                if (edge.From == silo)
                {
                    waiting.Enqueue(message);
                }
            }
        }

        private void Carry((int From, int To) edge)
        {
            if (_edges[edge].TryDequeue(out var message))
            {
                Silos[edge.To].Follow(message);
            }
        }

        private void Write(int index)
        {
            var (silo, topic, version) = _writes[index];
            _writes.RemoveAt(index);
            var batch = new StoreBatch(new NoSessions());
            Silos[silo].WriteTo(batch, topic, version);
            var (_, message, written) = batch.Retained[topic];
            if (!_rows.TryGetValue(topic, out var row) || written > row.Version)
            {
                _rows[topic] = (written, message is null ? null : Encoding.UTF8.GetString(message.Payload));
            }
        }
    }

    private sealed class NoSessions : IKnownSessions
    {
        public bool Owns(long session, long epoch) => false;

        public bool MayHold(long session, long sequence) => false;
    }
}
