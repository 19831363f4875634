/// <summary>
/// Lets the test assembly be started as a program of its own: the runtime calls this before <c>Main</c> where
/// <c>DOTNET_STARTUP_HOOKS</c> names the assembly, which only the tests that start a child do. The name and the missing
/// namespace are the runtime's convention.
/// </summary>
internal static class StartupHook
{
    public static void Initialize() => Broker.Grains.Tests.Storage.StoreChild.RunIfChild();
}
