namespace Broker.Grains.Routing;

/// <summary>
/// The subscribers of one filter, as two fields of whatever holds the filter: most filters have one subscriber, which then
/// costs 8 bytes. Nothing moves from one field to the other, so readers see everyone who stays exactly once.
/// </summary>
internal static class SubscriberSlot
{
    /// <summary>Under the lock. False when it is there already.</summary>
    public static bool Add(ref object? one, ref SubscriberSet? more, object subscriber)
    {
        if (ReferenceEquals(one, subscriber))
        {
            return false;
        }

        if (more is not null)
        {
            return more.Add(subscriber);
        }

        if (one is null)
        {
            Volatile.Write(ref one, subscriber);
            return true;
        }

        var set = new SubscriberSet();
        set.Add(subscriber);
        Volatile.Write(ref more, set);
        return true;
    }

    /// <summary>Under the lock. False when it is not there.</summary>
    public static bool Remove(ref object? one, ref SubscriberSet? more, object subscriber)
    {
        if (ReferenceEquals(one, subscriber))
        {
            Volatile.Write(ref one, null);
            return true;
        }

        if (more is null || !more.Remove(subscriber))
        {
            return false;
        }

        if (more.Count == 0)
        {
            Volatile.Write(ref more, null);
        }

        return true;
    }

    /// <summary>Number of subscribers.</summary>
    public static int Count(object? one, SubscriberSet? more) => (one is null ? 0 : 1) + (more?.Count ?? 0);
}
