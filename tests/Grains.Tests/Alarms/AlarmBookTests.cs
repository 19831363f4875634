using Broker.Grains.Alarms;
using Broker.Grains.Interfaces.Alarms;
using Broker.Grains.Options;
using Xunit;

namespace Broker.Grains.Tests.Alarms;

public sealed class AlarmBookTests
{
    [Fact]
    public void Alarm_that_two_silos_have_raised_is_one_and_is_over_when_both_occurrences_are()
    {
        var book = new AlarmBook(new AlarmOptions());
        book.Put(State("02", "a"), []);
        book.Put(State("01", "a"), []);

        Assert.Equal(["01"], book.List().Select(a => a.Occurrence));
        book.Put(State("01", "a", 5), []);
        Assert.True(book.IsRaised("a"));
        book.Put(State("02", "a", 6), []);

        Assert.False(book.IsRaised("a"));
        Assert.Equal(["02", "01"], book.List().Select(a => a.Occurrence));
    }

    [Fact]
    public void Cleared_is_stronger_than_raised_whichever_comes_last()
    {
        var book = new AlarmBook(new AlarmOptions());
        Assert.True(book.Put(State("01", "a", 5), []));
        Assert.False(book.Put(State("01", "a"), []));
        Assert.False(book.IsRaised("a"));
    }

    [Fact]
    public void History_is_bounded_and_what_it_has_forgotten_stays_forgotten()
    {
        var book = new AlarmBook(new AlarmOptions { MaxHistory = 2, MaxRaised = 1 });
        List<string> forgotten = [];
        for (var i = 1; i <= 4; i++)
        {
            book.Put(State($"0{i}", "a"), forgotten);
            book.Put(State($"0{i}", "a", i), forgotten);
        }

        Assert.Equal(["01", "02"], forgotten);
        Assert.False(book.Put(State("01", "a", 1), forgotten));
        Assert.Equal(["01", "02", "01"], forgotten);
        Assert.Equal(["04", "03"], book.List().Select(a => a.Occurrence));
    }

    /// <summary>What is not shown any more is still told: otherwise the alarm would stay raised elsewhere for ever.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Clear_is_remembered_for_other_silos_however_few_are_shown(int shown)
    {
        var book = new AlarmBook(new AlarmOptions { MaxHistory = shown, MaxRaised = 3 });
        List<string> forgotten = [];
        foreach (var id in new[] { "a", "b", "c" })
        {
            book.Put(State(id, id), forgotten);
        }

        var told = book.Version;
        foreach (var id in new[] { "a", "b", "c" })
        {
            book.Put(State(id, id, 1), forgotten);
        }

        Assert.Equal(["a", "b", "c"], book.ChangedAfter(told).Select(static a => a.Occurrence));
        Assert.Equal(shown, book.List().Count);
        Assert.Empty(forgotten);
    }

    [Fact]
    public void Earliest_of_several_clears_is_right_everywhere()
    {
        var book = new AlarmBook(new AlarmOptions());
        Assert.True(book.Put(State("01", "a", 5), []));
        Assert.False(book.Put(State("01", "a", 6), []));
        Assert.True(book.Put(State("01", "a", 4), []));

        Assert.Equal(4, Assert.Single(book.List()).ClearedAt);
    }

    /// <summary>Silos that hear of the same changes in any order, some of them twice, agree.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(1000)]
    public void Books_that_tell_each_other_agree(int maxHistory)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var books = Enumerable.Range(0, 3).Select(_ => new AlarmBook(new AlarmOptions { MaxHistory = maxHistory })).ToArray();
            var told = new long[3, 3];
            for (var step = 0; step < 60; step++)
            {
                var from = random.Next(3);
                var to = random.Next(3);
                var id = $"alarm {random.Next(3)}";
                switch (random.Next(3))
                {
                    case 0 when !books[from].IsRaised(id):
                        books[from].Put(State($"{step:D3}", id), []);
                        break;
                    case 1:
                        books[from].Raised(id).ForEach(a => books[from].Put(a with { ClearedAt = step }, []));
                        break;
                    default:
                        Tell(from, to, isLost: random.Next(4) == 0);
                        break;
                }
            }

            for (var round = 0; round < 3; round++)
            {
                for (var i = 0; i < 9; i++)
                {
                    Tell(i / 3, i % 3, isLost: false);
                }
            }

            Assert.All(books, book => Assert.Equal(Text(books[0]), Text(book)));

            void Tell(int from, int to, bool isLost)
            {
                books[from].ChangedAfter(told[from, to]).ForEach(a => books[to].Put(a, []));
                told[from, to] = isLost ? told[from, to] : books[from].Version;
            }
        }

        static IEnumerable<string> Text(AlarmBook book) =>
            book.List().Select(static a => $"{a.Occurrence} {a.Id} {(a.ClearedAt is { } time ? $"cleared at {time}" : "raised")}").Order(StringComparer.Ordinal);
    }

    private static AlarmState State(string occurrence, string id, long? clearedAt = null) => new()
    {
        Occurrence = occurrence, Id = id, Node = "n", Title = "", Summary = "", ClearedAt = clearedAt,
    };
}
