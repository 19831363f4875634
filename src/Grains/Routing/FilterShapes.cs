using System.Buffers;
using System.Runtime.CompilerServices;

namespace Broker.Grains.Routing;

/// <summary>
/// The shapes of all filters. A match looks up one filter of each shape that fits the topic: tuple space search
/// (V. Srinivasan, S. Suri, G. Varghese, SIGCOMM 1999). Which ones those are is worked out once for each number of levels.
/// </summary>
internal sealed class FilterShapes
{
    // Topics of more levels are seldom, and hostile ones must not fill memory with plans.
    private const int MostPlannedLevels = 128;

    private readonly Dictionary<string, FilterShape> _shapes = [];
    private readonly Dictionary<string, FilterShape>.AlternateLookup<ReadOnlySpan<char>> _byText;
    private readonly ReferenceSet _all = new();
    private readonly FilterPlan?[] _plans = new FilterPlan?[2 * (MostPlannedLevels + 1)];
    private long _version;

    public FilterShapes() => _byText = _shapes.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Number of shapes.</summary>
    public int Count => _shapes.Count;

    /// <summary>Counts a filter, whose shape every match that starts later looks for. Under the lock.</summary>
    public void Add(ReadOnlySpan<byte> filter)
    {
        var buffer = ArrayPool<char>.Shared.Rent(filter.Length + 1);
        var text = Describe(filter, buffer);
        if (!_byText.TryGetValue(text, out var shape))
        {
            shape = new FilterShape(filter);
            _byText[text] = shape;
            _all.Add(shape);
            Volatile.Write(ref _version, _version + 1);
        }

        shape.Filters++;
        ArrayPool<char>.Shared.Return(buffer);
    }

    /// <summary>Takes a filter off that was counted. Under the lock.</summary>
    public void Remove(ReadOnlySpan<byte> filter)
    {
        var buffer = ArrayPool<char>.Shared.Rent(filter.Length + 1);
        var text = Describe(filter, buffer);
        var shape = _byText[text];
        if (--shape.Filters == 0)
        {
            _byText.Remove(text);
            _all.Remove(shape);
            Volatile.Write(ref _version, _version + 1);
        }

        ArrayPool<char>.Shared.Return(buffer);
    }

    /// <summary>The shapes of which a filter can match a topic. Without the lock.</summary>
    /// <param name="levels">Number of levels of the topic.</param>
    /// <param name="isReserved">Whether the topic begins with <c>$</c>.</param>
    public ReadOnlySpan<FilterShape> For(int levels, bool isReserved)
    {
        if (levels > MostPlannedLevels)
        {
            return Fitting(levels, isReserved);
        }

        // The version before the shapes: a plan that lacks one carries a version from before it.
        var version = Volatile.Read(ref _version);
        ref var plan = ref _plans[(2 * levels) + (isReserved ? 1 : 0)];
        var known = Volatile.Read(ref plan);
        if (known is null || known.Version != version)
        {
            known = new FilterPlan(version, Fitting(levels, isReserved));
            Volatile.Write(ref plan, known);
        }

        return known.Shapes;
    }

    /// <summary>One character for each level: the wildcard, or a point.</summary>
    private static ReadOnlySpan<char> Describe(ReadOnlySpan<byte> filter, char[] buffer)
    {
        var count = 0;
        foreach (var level in new LevelReader(filter))
        {
            buffer[count++] = level is [(byte)'+' or (byte)'#'] ? (char)level[0] : '.';
        }

        return buffer.AsSpan(0, count);
    }

    private FilterShape[] Fitting(int levels, bool isReserved)
    {
        var fitting = new List<FilterShape>();
        foreach (var item in _all.Read())
        {
            if (item is not null && Unsafe.As<FilterShape>(item) is var shape && shape.Fits(levels, isReserved))
            {
                fitting.Add(shape);
            }
        }

        return [.. fitting];
    }
}
