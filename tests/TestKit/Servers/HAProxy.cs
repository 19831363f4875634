namespace Broker.TestKit.Servers;

/// <summary>The balancer that tests put in front of brokers.</summary>
public static class HAProxy
{
    /// <summary>The program, from the Debian package haproxy; null where it is not installed.</summary>
    public static string? Program { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin")
        .Select(static folder => Path.Combine(folder, "haproxy")).FirstOrDefault(File.Exists);
}
