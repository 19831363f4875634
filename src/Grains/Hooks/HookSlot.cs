namespace Broker.Grains.Hooks;

/// <summary>A registered hook and the calls of it that are under way.</summary>
internal sealed class HookSlot<THook>(THook hook, int maxConcurrentCalls)
    where THook : class, IHook
{
    public THook Hook { get; } = hook;

    public string Name { get; } = hook.GetType().Name;

    /// <summary>A call that exceeds its time keeps its place until it returns: a hook that hangs holds this many threads and no more.</summary>
    public SemaphoreSlim Free { get; } = new(maxConcurrentCalls);
}
