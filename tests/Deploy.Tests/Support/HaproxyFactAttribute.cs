namespace Broker.Deploy.Tests.Support;

/// <summary>A test that runs HAProxy: skipped where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class HaproxyFactAttribute : FactAttribute
{
    public HaproxyFactAttribute() => Skip =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin").Any(static folder => File.Exists(Path.Combine(folder, "haproxy")))
            ? null!
            : "haproxy is not installed";
}
