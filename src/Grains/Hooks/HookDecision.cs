namespace Broker.Grains.Hooks;

/// <summary>What a hook says when it is asked whether a client may do something.</summary>
public enum HookDecision
{
    /// <summary>Not for this hook to say: the next one is asked, at last the broker's own rules.</summary>
    Next,

    Allow,

    Deny,
}
