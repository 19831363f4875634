using System.Text;
using Broker.Grains.Routing;
using Xunit;

namespace Broker.Grains.Tests.Routing;

/// <summary>Filters whose hashes are the same, which nobody can make on purpose.</summary>
public sealed class FilterTableTests
{
    private const ulong Hash = 0x1234_5678_9ABC_DEF0;

    private readonly FilterTable _table = new();
    private readonly Subscriber _one = new("one");
    private readonly Subscriber _other = new("other");

    [Fact]
    public void A_hash_alone_decides_nothing()
    {
        Assert.True(_table.Add("a"u8, Hash, _one));
        Assert.True(_table.Add("b"u8, Hash, _other));

        Assert.Equal(2, _table.Count);
        Assert.Equal([_one], Subscribers("a"u8));
        Assert.Equal([_other], Subscribers("b"u8));
        Assert.Empty(Subscribers("c"u8));
        Assert.True(_table.Remove("a"u8, Hash, _one));
        Assert.Empty(Subscribers("a"u8));
        Assert.Equal([_other], Subscribers("b"u8));
    }

    [Fact]
    public void A_shard_that_is_full_of_one_hash_goes_round_its_end()
    {
        // The last place of a shard, and all those after it.
        const ulong Last = (ulong)(FilterShard.SlotCount - 1) << 30;
        var names = Names(100);
        foreach (var name in names)
        {
            Assert.True(_table.Add(name, Last, _one));
            Assert.True(_table.Add(name, Last, _other));
        }

        Assert.Equal(100, _table.Count);
        Assert.All(names, name => Assert.Equal([_one, _other], Subscribers(name, Last)));
        foreach (var name in names)
        {
            Assert.True(_table.Remove(name, Last, _one));
            Assert.True(_table.Remove(name, Last, _other));
        }

        Assert.Equal(0, _table.Count);
        Assert.All(names, name => Assert.Empty(Subscribers(name, Last)));
    }

    [Fact]
    public void Of_more_places_with_the_hash_that_is_looked_for_than_a_batch_has_room_for_one_matches()
    {
        var shapes = new FilterShapes();
        shapes.Add("t"u8);
        var hash = TopicHash.OfFilter("t"u8);
        foreach (var name in Names(3 * FilterSearch.Batch))
        {
            Assert.True(_table.Add(name, hash, _one));
        }

        Assert.True(_table.Add("t"u8, hash, _other));
        var found = new MatchScratch();
        found.Begin();
        FilterSearch.Run(_table, shapes, "t"u8, found);
        found.End();

        Assert.Equal([_other], found.Items.ToArray());
        Assert.All(found.Finds, static find => Assert.Null(find.Shard));
    }

    [Fact]
    public void The_empty_hash_is_a_hash_like_any_other()
    {
        Assert.True(_table.Add("a"u8, 0, _one));
        Assert.Equal([_one], Subscribers("a"u8, 0));
        Assert.False(_table.Add("a"u8, 0, _one));
    }

    [Fact]
    public void Filters_that_go_leave_no_shard_behind()
    {
        const int Filters = 20_000;
        var names = Names(Filters);
        foreach (var name in names)
        {
            _table.Add(name, TopicHash.OfFilter(name), _one);
        }

        Assert.InRange(_table.Snapshot().Count, Filters / FilterShard.MaxUsed, 2 * Filters / FilterShard.JoinBelow);
        foreach (var name in names)
        {
            _table.Remove(name, TopicHash.OfFilter(name), _one);
        }

        Assert.Single(_table.Snapshot());
    }

    private static byte[][] Names(int count) => [.. Enumerable.Range(0, count).Select(static x => Encoding.UTF8.GetBytes($"n{x}"))];

    private List<object?> Subscribers(ReadOnlySpan<byte> filter, ulong hash = Hash)
    {
        var found = new MatchScratch();
        found.Begin();
        _table.CopyTo(filter, hash, found);
        found.End();
        return [.. found.Items];
    }
}
