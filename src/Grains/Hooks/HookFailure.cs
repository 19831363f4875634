namespace Broker.Grains.Hooks;

/// <summary>What happens when a hook that decides does not answer.</summary>
public enum HookFailure
{
    /// <summary>It goes on as if the hook were not there.</summary>
    Open,

    /// <summary>It is refused.</summary>
    Closed,
}
