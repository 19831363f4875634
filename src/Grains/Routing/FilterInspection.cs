namespace Broker.Grains.Routing;

/// <summary>Reads filters back out of the index, without the lock.</summary>
internal static class FilterInspection
{
    /// <summary>The filters of some shards and how many subscribers they have.</summary>
    public static IEnumerable<FilterInfo> Read(List<FilterShard> shards)
    {
        foreach (var shard in shards)
        {
            for (var place = 0; place < FilterShard.SlotCount; place++)
            {
                var found = Read(shard, place);
                if (found.Subscribers > 0)
                {
                    yield return found;
                }
            }
        }
    }

    /// <summary>The filter whose first subscriber has this place, or whose set has it and who has no other place with a subscriber.</summary>
    private static FilterInfo Read(FilterShard shard, int place)
    {
        var word = Volatile.Read(ref shard.At(place).Word);
        if (word == 0 || Volatile.Read(ref shard.At(place).Value) is not { } value)
        {
            return default;
        }

        var key = shard.KeyOf(word);
        var places = shard.Find(word, key);
        if ((word & FilterSlot.IsSet) == 0)
        {
            var more = (ReferenceSet?)shard.Value(places.Set);
            return new FilterInfo(key.ToArray(), 1 + (more?.Count ?? 0));
        }

        return shard.Value(places.One) is null ? new FilterInfo(key.ToArray(), ((ReferenceSet)value).Count) : default;
    }
}
