namespace Broker.Grains.Delayed;

/// <summary>Topic names of the form <c>$delayed/SECONDS/TOPIC</c>: the message is for TOPIC, after so many seconds.</summary>
public static class DelayedTopic
{
    /// <summary>Longest delay in seconds, some 49 days: the limit of EMQX, from which the form is.</summary>
    public const uint MaxSeconds = 4_294_967;

    // As many digits as that has, so that nothing overflows.
    private const int MaxDigits = 7;

    private static ReadOnlySpan<byte> Prefix => "$delayed/"u8;

    private static ReadOnlySpan<byte> Name => "$delayed"u8;

    /// <summary>Whether a topic name has the form, or begins like one and has not.</summary>
    public static bool IsDelayed(ReadOnlySpan<byte> topic) =>
        topic.StartsWith(Name) && (topic.Length == Name.Length || topic[Name.Length] == (byte)'/');

    /// <summary>Takes the delay out of a topic name, if there is one.</summary>
    /// <param name="topic">In: a valid Topic Name, UTF-8. Out: the topic that the message is for.</param>
    /// <param name="publishAt">When it is to be published, in milliseconds since 1970; 0 when at once.</param>
    /// <returns>False when it begins like a delay and is none.</returns>
    public static bool TryTake(ref ReadOnlySpan<byte> topic, TimeProvider time, out long publishAt)
    {
        publishAt = 0;
        if (!IsDelayed(topic))
        {
            return true;
        }

        if (!TryParse(topic, out var seconds, out var target))
        {
            return false;
        }

        topic = target;
        publishAt = seconds == 0 ? 0 : time.GetUtcNow().AddSeconds(seconds).ToUnixTimeMilliseconds();
        return true;
    }

    /// <summary>Takes a topic name apart.</summary>
    /// <param name="topic">A valid Topic Name, UTF-8.</param>
    /// <param name="seconds">0 to <see cref="MaxSeconds"/>.</param>
    /// <param name="target">The topic that the message is for: not empty, and not to be delayed once more.</param>
    /// <returns>False when it does not have the form.</returns>
    public static bool TryParse(ReadOnlySpan<byte> topic, out uint seconds, out ReadOnlySpan<byte> target)
    {
        seconds = 0;
        target = default;
        if (!topic.StartsWith(Prefix))
        {
            return false;
        }

        var rest = topic[Prefix.Length..];
        var digits = rest.IndexOf((byte)'/');
        if (digits is < 1 or > MaxDigits)
        {
            return false;
        }

        foreach (var digit in rest[..digits])
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            seconds = (seconds * 10) + digit - '0';
        }

        target = rest[(digits + 1)..];
        return seconds <= MaxSeconds && !target.IsEmpty && !IsDelayed(target);
    }
}
