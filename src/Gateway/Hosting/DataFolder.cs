using Broker.Gateway.Options;
using Broker.Grains.Options;

namespace Broker.Gateway.Hosting;

/// <summary>The folder of everything durable.</summary>
internal static class DataFolder
{
    /// <summary>
    /// Returns the full path of the folder. For the embedded store creates it and makes sure that it can be written; a silo over
    /// PostgreSQL only reads from it, and need not have one.
    /// </summary>
    public static string Prepare(DataOptions options, StoreKind store)
    {
        var path = Path.GetFullPath(options.Directory);
        if (store == StoreKind.Postgres)
        {
            return path;
        }

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
