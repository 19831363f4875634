namespace Broker.Gateway.Options;

/// <summary>How the process uses the machine. Section <c>Broker:Runtime</c>.</summary>
public sealed class RuntimeOptions
{
    /// <summary>Whether the kernel may back the managed heap with huge pages where it has them. Matching gets faster, and memory is taken 2 MiB at a time.</summary>
    public bool HugePages { get; set; } = true;
}
