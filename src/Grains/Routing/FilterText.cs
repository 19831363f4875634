namespace Broker.Grains.Routing;

/// <summary>Whether one Topic Filter matches one topic name, for questions that are asked now and then; routing has <see cref="FilterIndex{T}"/>.</summary>
public static class FilterText
{
    /// <summary>The rules of MQTT section 4.7; a leading wildcard does not match <c>$</c> [MQTT-4.7.2-1].</summary>
    /// <param name="filter">A valid filter, UTF-8.</param>
    /// <param name="topic">A topic name, UTF-8.</param>
    public static bool Matches(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> topic)
    {
        if (topic is [(byte)'$', ..] && filter is [(byte)'+' or (byte)'#', ..])
        {
            return false;
        }

        while (true)
        {
            var wanted = Level(ref filter, out var filterGoesOn);
            if (wanted is [(byte)'#'])
            {
                return true;
            }

            var level = Level(ref topic, out var topicGoesOn);
            if (wanted is not [(byte)'+'] && !wanted.SequenceEqual(level))
            {
                return false;
            }

            if (!topicGoesOn)
            {
                // "a/#" matches "a" as well.
                return !filterGoesOn || filter is [(byte)'#'];
            }

            if (!filterGoesOn)
            {
                return false;
            }
        }
    }

    private static ReadOnlySpan<byte> Level(ref ReadOnlySpan<byte> rest, out bool goesOn)
    {
        var end = rest.IndexOf((byte)'/');
        goesOn = end >= 0;
        var level = goesOn ? rest[..end] : rest;
        rest = goesOn ? rest[(end + 1)..] : [];
        return level;
    }
}
