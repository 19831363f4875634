using System.Text;

namespace Broker.Protocol;

/// <summary>
/// The filter of an exclusive subscription, <c>$exclusive/filter</c>: one client at most has it at a time. No part of the
/// specification; the form is that of EMQX.
/// </summary>
public static class ExclusiveFilter
{
    private const string Prefix = "$exclusive/";

    /// <summary>Whether it asks for an exclusive subscription, a valid one or not.</summary>
    public static bool IsExclusive(string filter) => filter.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Takes the Topic Filter out of an exclusive subscription's filter.</summary>
    /// <param name="filter">What the client subscribes to.</param>
    /// <param name="topicFilter">Topic Filter of the messages.</param>
    /// <returns>False when it is no valid exclusive subscription: what it lets through is that of a group, or exclusive once more.</returns>
    public static bool TryParse(string filter, out string topicFilter)
    {
        topicFilter = IsExclusive(filter) ? filter[Prefix.Length..] : "";
        return topicFilter.Length > 0 && !IsExclusive(topicFilter) && !SharedFilter.IsShared(topicFilter)
            && TopicRules.IsValidFilter(Encoding.UTF8.GetBytes(topicFilter));
    }

    /// <summary>Topic Filter of the messages that a valid filter lets through; of any but an exclusive one the filter itself.</summary>
    public static string Routed(string filter) => IsExclusive(filter) ? filter[Prefix.Length..] : filter;
}
