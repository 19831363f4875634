using System.Text;

namespace Broker.Protocol;

/// <summary>
/// The filter of a shared subscription: <c>$share/name/filter</c> (MQTT 5.0 section 4.8.2), or <c>$queue/filter</c>, which
/// is a group without a name of its own and no part of the specification.
/// </summary>
public static class SharedFilter
{
    private const string SharePrefix = "$share/";

    // A group without a name of its own.
    private const string QueuePrefix = "$queue/";

    // In bytes of UTF-8, group included: it is the name of a session, which stands in an index of the store.
    private const int MaxLength = 2048;

    /// <summary>Whether it asks for a shared subscription, a valid one or not.</summary>
    public static bool IsShared(string filter) =>
        filter.StartsWith(SharePrefix, StringComparison.Ordinal) || filter.StartsWith(QueuePrefix, StringComparison.Ordinal);

    /// <inheritdoc cref="IsShared(string)" />
    public static bool IsShared(ReadOnlySpan<byte> filter) =>
        filter.StartsWith("$share/"u8) || filter.StartsWith("$queue/"u8);

    /// <summary>
    /// Takes the Topic Filter out of a shared subscription's filter: the name has at least one character [MQTT-4.8.2-1] and
    /// none of '/', '+', '#', and a '/' and a Topic Filter follow it [MQTT-4.8.2-2], which is not exclusive. It has at most 2,048
    /// bytes of UTF-8.
    /// </summary>
    /// <param name="filter">What the client subscribes to.</param>
    /// <param name="topicFilter">Topic Filter of the messages.</param>
    /// <returns>False when it is no valid shared subscription.</returns>
    public static bool TryParse(string filter, out string topicFilter)
    {
        topicFilter = "";
        if (filter.StartsWith(QueuePrefix, StringComparison.Ordinal))
        {
            topicFilter = filter[QueuePrefix.Length..];
        }
        else if (filter.StartsWith(SharePrefix, StringComparison.Ordinal))
        {
            var end = filter.IndexOf('/', SharePrefix.Length);
            if (end <= SharePrefix.Length || filter.AsSpan(SharePrefix.Length, end - SharePrefix.Length).ContainsAny('+', '#'))
            {
                return false;
            }

            topicFilter = filter[(end + 1)..];
        }

        return topicFilter.Length > 0 && !IsShared(topicFilter) && !ExclusiveFilter.IsExclusive(topicFilter)
            && Encoding.UTF8.GetByteCount(filter) <= MaxLength && TopicRules.IsValidFilter(Encoding.UTF8.GetBytes(topicFilter));
    }
}
