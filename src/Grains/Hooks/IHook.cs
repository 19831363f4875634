namespace Broker.Grains.Hooks;

/// <summary>
/// What hooks have in common. A hook is a service: register it with <see cref="HookServices.AddHook{T}"/>, under every hook interface that it
/// implements. Whatever it does, the broker goes on: a call has a time limit, and exceptions are logged and counted.
/// </summary>
public interface IHook
{
    /// <summary>Hooks with a higher number are asked first; those with the same one in the order of their registration.</summary>
    int Priority => 0;

    /// <summary>What a call that throws, or takes too long, counts as. Only for hooks that decide; events are then simply not told.</summary>
    HookFailure OnFailure => HookFailure.Open;

    /// <summary>
    /// True promises that its calls never block the thread: they then run on the thread that reads from the client, which saves a change of
    /// thread for each. A hook that breaks the promise holds up clients.
    /// </summary>
    bool NeverBlocks => false;
}
