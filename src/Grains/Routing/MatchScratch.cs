using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Broker.Grains.Routing;

/// <summary>The result of one match and the working memory for it; used by one thread at a time.</summary>
internal sealed class MatchScratch
{
    // Smallest and, below which nothing is given back, largest comfortable size in references.
    private const int SmallSize = 64;
    private const int LargeSize = 2048;

    // So many matches in a row must need less than an eighth before memory is given back.
    private const int Patience = 64;

    private object?[] _items = new object?[SmallSize];
    private int _previous;
    private int _idle;

    /// <summary>Hashes of the filters that are looked for at a time.</summary>
    public readonly ulong[] Hashes = new ulong[FilterSearch.Batch];

    /// <summary>Places that agree with one of them.</summary>
    public FilterFind[] Finds = new FilterFind[2 * FilterSearch.Batch];

    /// <summary>The levels of the topic.</summary>
    public TopicLevels Levels { get; private set; } = new();

    public int Count { get; private set; }

    /// <summary>Number of entries that the arrays have room for.</summary>
    public int Capacity => _items.Length + Finds.Length + Levels.Capacity;

    /// <summary>Whether <see cref="Relax" /> should be told about each use.</summary>
    public bool IsLarge => Capacity > LargeSize;

    public ReadOnlySpan<object?> Items => _items.AsSpan(0, Count);

    public void Begin()
    {
        if (IsLarge)
        {
            Relax();
        }

        _previous = Count;
        Count = 0;
    }

    /// <summary>Drops what an earlier, longer result left behind, so that the buffer keeps no removed subscriber alive.</summary>
    public void End()
    {
        if (_previous > Count)
        {
            Array.Clear(_items, Count, _previous - Count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(object subscriber)
    {
        var count = Count;
        if (count == _items.Length)
        {
            Grow(count + 1);
        }

        // Always an object[]: the check that a store into an array of a derived type would need is left out.
        Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_items), count) = subscriber;
        Count = count + 1;
    }

    /// <summary>Appends those that are not null.</summary>
    public void AppendPresent(ReadOnlySpan<object?> subscribers)
    {
        var start = Count;
        if (_items.Length - start < subscribers.Length)
        {
            Grow(start + subscribers.Length);
        }

        // First copied, then checked: a removal may make a hole while this goes on.
        var target = _items.AsSpan(start, subscribers.Length);
        subscribers.CopyTo(target);
        var kept = 0;
        while (kept < target.Length && target[kept] is not null)
        {
            kept++;
        }

        for (var i = kept; i < target.Length; i++)
        {
            if (target[i] is { } subscriber)
            {
                target[kept++] = subscriber;
            }
        }

        Count = start + kept;
        _previous = Math.Max(_previous, start + subscribers.Length);
    }

    /// <summary>Makes room for so many places in <see cref="Finds" />.</summary>
    public void EnsureFinds(int size)
    {
        if (Finds.Length < size)
        {
            Array.Resize(ref Finds, size * 2);
        }
    }

    /// <summary>The result as references of the subscriber's own type.</summary>
    public ReadOnlySpan<T> Result<T>()
        where T : class => As<T>(_items, Count);

    /// <summary>Views an array of objects, all of which are a T, as a read-only span of T.</summary>
    public static ReadOnlySpan<T> As<T>(object?[] items, int count)
        where T : class =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<object?, T>(ref MemoryMarshal.GetArrayDataReference(items)), count);

    /// <summary>Gives memory back when it was not needed for some time.</summary>
    public void Relax()
    {
        _idle = Count < Capacity / 8 ? _idle + 1 : 0;
        if (_idle >= Patience)
        {
            _idle = 0;
            _previous = 0;
            Count = 0;
            _items = new object?[SmallSize];
            Finds = new FilterFind[2 * FilterSearch.Batch];
            Levels = new TopicLevels();
        }
    }

    private void Grow(int size) => Array.Resize(ref _items, Math.Max(size, _items.Length * 2));
}
