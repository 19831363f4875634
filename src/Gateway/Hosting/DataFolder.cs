using Broker.Gateway.Options;

namespace Broker.Gateway.Hosting;

/// <summary>The folder of everything durable.</summary>
internal static class DataFolder
{
    /// <summary>Creates the folder, makes sure that it can be written, and returns its full path.</summary>
    public static string Prepare(DataOptions options)
    {
        var path = Path.GetFullPath(options.Directory);
        try
        {
            Directory.CreateDirectory(path);
            var probe = Path.Combine(path, $".probe-{Environment.ProcessId}");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
            return path;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"the data folder {path} cannot be written: {failure.Message}", failure);
        }
    }
}
