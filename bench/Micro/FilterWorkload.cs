using System.Text;

namespace Broker.Micro;

/// <summary>
/// Distinct filters of up to five levels, 70 % without wildcard, 20 % with one '+', 10 % with '#', and topics from the same
/// names, which look like those of a plant: "site007/line012/cell003/sensor042/metric005".
/// </summary>
internal sealed class FilterWorkload
{
    private const int Depth = 5;
    private static readonly string[] Prefixes = ["site", "line", "cell", "sensor", "metric"];

    // Names per level: a random topic has about 4.5 filters of a million that match it. Eleven would be the most that distinct
    // filters of these shapes allow, so the short ones with '#' have several subscribers, which makes 15.3 hits.
    private static readonly int[] Sizes = [10, 20, 30, 40, 20];

    private readonly Random _random = new(1);
    private readonly bool _dense;
    private readonly HashSet<string> _seen = [];

    /// <param name="dense">
    /// Every second filter with '#' has a '+' too: about 12.5 distinct filters match a topic, of twice as many shapes.
    /// </param>
    public FilterWorkload(int count, bool dense)
    {
        _dense = dense;
        var filters = new List<byte[]>(count);
        while (filters.Count < count)
        {
            // The kind first, then as often as it takes: rejected doubles must not change the shares.
            var kind = filters.Count % 10;
            var filter = kind switch { < 7 => Exact(), < 9 => OnePlus(), _ => Below() };
            while (!_seen.Add(filter))
            {
                filter = kind switch { < 7 => Exact(), < 9 => OnePlus(), _ => Below() };
            }

            filters.Add(Encoding.UTF8.GetBytes(filter));
        }

        Filters = [.. filters];
        _seen.Clear();
    }

    public byte[][] Filters { get; }

    /// <summary>Number of subscribers of a filter.</summary>
    public int Subscribers(byte[] filter)
    {
        var levels = filter.AsSpan().Count((byte)'/');
        return filter[^1] != '#' || levels > 3 ? 1 : _dense ? 1 + (levels % 2) : 5 - (levels / 3);
    }

    public byte[][] Topics(int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Encoding.UTF8.GetBytes(string.Join('/', Levels(Depth))))];

    private string Exact() => string.Join('/', Levels(Depth));

    private string OnePlus()
    {
        var levels = Levels(Depth);
        levels[_random.Next(Depth)] = "+";
        return string.Join('/', levels);
    }

    private string Below()
    {
        var levels = Levels(1 + _random.Next(Depth - 1));
        if (_dense && _random.Next(2) == 0)
        {
            levels[_random.Next(levels.Length)] = "+";
        }

        return string.Join('/', levels) + "/#";
    }

    private string[] Levels(int count)
    {
        var levels = new string[count];
        for (var i = 0; i < count; i++)
        {
            levels[i] = $"{Prefixes[i]}{_random.Next(Sizes[i]):D3}";
        }

        return levels;
    }
}
