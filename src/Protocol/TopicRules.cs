namespace Broker.Protocol;

/// <summary>Topic Names and Topic Filters (MQTT section 4.7).</summary>
public static class TopicRules
{
    private const byte Separator = (byte)'/';
    private const byte MultiLevel = (byte)'#';
    private const byte SingleLevel = (byte)'+';

    /// <summary>At least one character [MQTT-4.7.3-1] and no wildcard [MQTT-3.3.2-2] [MQTT-4.7.0-1]; UTF-8 is checked apart.</summary>
    public static bool IsValidName(ReadOnlySpan<byte> topic) =>
        !topic.IsEmpty && !topic.ContainsAny(MultiLevel, SingleLevel);

    /// <summary>
    /// At least one character [MQTT-4.7.3-1]; '#' only as the last level [MQTT-4.7.1-1]; '+' only as a whole level
    /// [MQTT-4.7.1-2]. UTF-8 is checked apart.
    /// </summary>
    public static bool IsValidFilter(ReadOnlySpan<byte> filter)
    {
        if (filter.IsEmpty)
        {
            return false;
        }

        if (!filter.ContainsAny(MultiLevel, SingleLevel))
        {
            return true;
        }

        for (var i = 0; i < filter.Length; i++)
        {
            if (filter[i] != MultiLevel && filter[i] != SingleLevel)
            {
                continue;
            }

            var beginsLevel = i == 0 || filter[i - 1] == Separator;
            var isLast = i == filter.Length - 1;
            var endsLevel = isLast || (filter[i] == SingleLevel && filter[i + 1] == Separator);
            if (!beginsLevel || !endsLevel)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a name or filter is within a server's limits.</summary>
    /// <param name="maximumBytes">Length in bytes of UTF-8, 65,535 at most [MQTT-4.7.3-3].</param>
    /// <param name="maximumLevels">Number of levels.</param>
    public static bool IsWithinLimits(ReadOnlySpan<byte> topic, int maximumBytes, int maximumLevels) =>
        topic.Length <= maximumBytes && (topic.Length < maximumLevels || topic.Count(Separator) < maximumLevels);
}
