using System.Runtime.CompilerServices;

namespace Broker.Grains.Routing;

/// <summary>Finds the filters that match a topic, without the lock.</summary>
/// <remarks>
/// At a million filters nearly every look is a cache miss, so many are under way at a time: first all hashes are made and
/// their places asked for, then the places are read and the keys asked for, then the keys are compared.
/// </remarks>
internal static class FilterSearch
{
    /// <summary>Looks that are under way at a time: more than a core has misses, and few enough for its first cache.</summary>
    public const int Batch = 32;

    /// <summary>Appends the subscribers of all filters that match.</summary>
    public static void Run(FilterTable table, FilterShapes shapes, ReadOnlySpan<byte> topic, MatchScratch result)
    {
        result.Levels.Read(topic);
        var shards = table.Current;
        var plan = shapes.For(result.Levels.Count, topic is [(byte)'$', ..]);
        while (!plan.IsEmpty)
        {
            var batch = plan[..Math.Min(plan.Length, Batch)];
            Ask(batch, shards, result);
            var found = Look(batch.Length, shards, result);
            Compare(batch, topic, result.Finds.AsSpan(0, found), result);
            plan = plan[batch.Length..];
        }
    }

    private static void Ask(ReadOnlySpan<FilterShape> shapes, FilterShard[] shards, MatchScratch result)
    {
        var levels = result.Levels;
        var hashes = result.Hashes;
        for (var i = 0; i < shapes.Length; i++)
        {
            var hash = shapes[i].HashFor(levels);
            Prefetch.Line(ref FilterDirectory.Find(shards, hash).At(FilterSlot.FirstPlace(hash)));
            hashes[i] = hash;
        }
    }

    private static int Look(int count, FilterShard[] shards, MatchScratch result)
    {
        var found = 0;
        var hashes = result.Hashes.AsSpan(0, count);
        for (var i = 0; i < hashes.Length; i++)
        {
            var hash = hashes[i];
            var shard = FilterDirectory.Find(shards, hash);
            for (var place = FilterSlot.FirstPlace(hash); ; place = FilterShard.Next(place))
            {
                // Acquire: key and value were written before the word.
                var word = Volatile.Read(ref shard.At(place).Word);
                if (word == 0)
                {
                    break;
                }

                if (FilterSlot.Agrees(word, hash))
                {
                    shard.PrefetchKey(word);
                    result.EnsureFinds(found + 1);
                    ref var find = ref result.Finds[found++];
                    find.Shard = shard;
                    find.Place = place;
                    find.Shape = i;
                }
            }
        }

        return found;
    }

    private static void Compare(ReadOnlySpan<FilterShape> shapes, ReadOnlySpan<byte> topic, Span<FilterFind> finds, MatchScratch result)
    {
        foreach (ref readonly var find in finds)
        {
            ref var slot = ref find.Shard.At(find.Place);
            if (slot.Value is { } value && shapes[find.Shape].Matches(find.Shard.KeyOf(slot.Word), topic, result.Levels))
            {
                if ((slot.Word & FilterSlot.IsSet) == 0)
                {
                    result.Append(value);
                }
                else
                {
                    result.AppendPresent(Unsafe.As<ReferenceSet>(value).Read());
                }
            }
        }

        // A shard keeps subscribers alive, also those that have left since.
        finds.Clear();
    }
}
