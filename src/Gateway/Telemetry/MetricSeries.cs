namespace Broker.Gateway.Telemetry;

/// <summary>The values of one family under one set of tags. Guarded by the family's lock.</summary>
/// <param name="tags">The tags.</param>
/// <param name="labels">They in text form: <c>{name="value"}</c> without the braces.</param>
/// <param name="buckets">Number of buckets of a histogram, the last without upper bound; 0 for another type.</param>
internal sealed class MetricSeries(KeyValuePair<string, object?>[] tags, string labels, int buckets)
{
    /// <summary>Text form of the tags.</summary>
    public string Labels => labels;

    /// <summary>Value; the sum of all values of a histogram.</summary>
    public double Value { get; set; }

    /// <summary>Values per bucket of a histogram, not added up.</summary>
    public long[] Counts { get; } = new long[buckets];

    /// <summary>Number of the reading that has last brought it a value.</summary>
    public long Reading { get; set; }

    /// <summary>Tags in the same order: an instrument gives them in one order always.</summary>
    public bool Has(ReadOnlySpan<KeyValuePair<string, object?>> others)
    {
        if (others.Length != tags.Length)
        {
            return false;
        }

        for (var i = 0; i < tags.Length; i++)
        {
            if (tags[i].Key != others[i].Key || !Equals(tags[i].Value, others[i].Value))
            {
                return false;
            }
        }

        return true;
    }
}
