namespace Broker.Grains.Shared;

/// <summary>
/// Collects the groups that the current thread has put something into, so that each is looked at once, when the thread has
/// handled everything that one read brought and holds no lock. Outside of a turn a thread of the pool does it.
/// </summary>
public static class LenderTurn
{
    [ThreadStatic]
    private static List<ILender>? _due;

    [ThreadStatic]
    private static bool _isOpen;

    /// <summary>From here to <see cref="End"/> the thread answers for what it adds. Never held across an await.</summary>
    public static void Begin() => _isOpen = true;

    /// <summary>Looks at the groups that were added. The thread holds no session's lock.</summary>
    public static void End()
    {
        _isOpen = false;
        if (_due is not { Count: > 0 } due)
        {
            return;
        }

        foreach (var lender in due)
        {
            lender.Drain();
        }

        due.Clear();
    }

    /// <summary>Something is in a group's inbox; may be called with a session's lock held.</summary>
    internal static void Add(ILender lender)
    {
        if (!_isOpen)
        {
            lender.Schedule();
            return;
        }

        var due = _due ??= [];
        if (!due.Contains(lender))
        {
            due.Add(lender);
        }
    }
}
