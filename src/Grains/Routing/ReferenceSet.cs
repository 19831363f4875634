namespace Broker.Grains.Routing;

/// <summary>
/// A set of references that is read without a lock. Adding and removing take constant time on average. An item keeps its
/// place for as long as it stays in an array, so a reader that copies while a writer works sees each one that stays
/// exactly once.
/// </summary>
internal sealed class ReferenceSet
{
    // Up to here a scan is faster than a dictionary, and the dictionary's 30 bytes an entry are saved.
    private const int ScanLimit = 16;

    private object?[] _items = new object?[2];
    private int _used;
    private Dictionary<object, int>? _places;

    /// <summary>Number of items.</summary>
    public int Count { get; private set; }

    /// <summary>Under the lock. False when it is there already.</summary>
    public bool Add(object item)
    {
        if (PlaceOf(item) >= 0)
        {
            return false;
        }

        if (_used == _items.Length)
        {
            // With a quarter of holes the same size will do.
            Rebuild(Count * 4 <= _used * 3 ? _used : _used + Math.Max(2, _used / 2));
        }

        _places?.Add(item, _used);
        Volatile.Write(ref _items[_used], item);
        Volatile.Write(ref _used, _used + 1);
        Count++;
        return true;
    }

    /// <summary>Under the lock. False when it is not there.</summary>
    public bool Remove(object item)
    {
        var place = PlaceOf(item);
        if (place < 0)
        {
            return false;
        }

        _places?.Remove(item);
        Volatile.Write(ref _items[place], null);
        Count--;

        // As many holes as items: the copy is paid for by the removals that made the holes.
        if (_used > 2 * Count + 2)
        {
            Rebuild(Count + (Count / 4) + 1);
        }

        return true;
    }

    /// <summary>All items, with null where one was removed. Without the lock.</summary>
    public ReadOnlySpan<object?> Read()
    {
        // The count before the array: what stays stands below this count in that array and in every later one.
        var used = Volatile.Read(ref _used);
        var items = Volatile.Read(ref _items);
        return items.AsSpan(0, Math.Min(used, items.Length));
    }

    private int PlaceOf(object item)
    {
        if (_places is not null)
        {
            return _places.TryGetValue(item, out var place) ? place : -1;
        }

        for (var i = 0; i < _used; i++)
        {
            if (ReferenceEquals(_items[i], item))
            {
                return i;
            }
        }

        return -1;
    }

    private void Rebuild(int capacity)
    {
        var items = new object?[capacity];
        var places = Count > ScanLimit ? new Dictionary<object, int>(capacity, ReferenceEqualityComparer.Instance) : null;
        var used = 0;
        foreach (var item in _items)
        {
            if (item is not null)
            {
                places?.Add(item, used);
                items[used++] = item;
            }
        }

        // The array before the count, see Read.
        Volatile.Write(ref _items, items);
        Volatile.Write(ref _used, used);
        _places = places;
    }
}
