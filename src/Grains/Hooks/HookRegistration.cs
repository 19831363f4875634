namespace Broker.Grains.Hooks;

/// <summary>
/// A hook that has been registered. What it is for is known by its type, so that nobody has to make it to ask: a hook may itself need services that
/// ask which hooks there are.
/// </summary>
/// <param name="Type">Its class.</param>
/// <param name="Get">Gives the one object of it.</param>
internal sealed record HookRegistration(Type Type, Func<IServiceProvider, IHook> Get)
{
    /// <summary>Whether it has an interface.</summary>
    public bool Is<THook>()
        where THook : IHook => Type.IsAssignableTo(typeof(THook));
}
