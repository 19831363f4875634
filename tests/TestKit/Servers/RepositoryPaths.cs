namespace Broker.TestKit.Servers;

/// <summary>Where the build output of this checkout lies.</summary>
public static class RepositoryPaths
{
    private const string SolutionFile = "Broker.sln";

    public static string Root { get; } = FindRoot();

    /// <summary>The program under test, of the same configuration as the tests; BROKER_TEST_PROGRAM names another.</summary>
    public static string BrokerProgram { get; } = Environment.GetEnvironmentVariable("BROKER_TEST_PROGRAM")
        ?? Path.Combine(Root, "src", "Gateway", "bin", Configuration, "net10.0", "Broker.Gateway.dll");

    /// <summary>Debug or Release.</summary>
    public static string Configuration =>
        AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            ? "Release"
            : "Debug";

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, SolutionFile)))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no {SolutionFile} above {AppContext.BaseDirectory}");
    }
}
