using Broker.Grains.Tests.Storage;

namespace Broker.Tests.T17_StoreFailure;

/// <summary>A test of a broker of its own on a <see cref="TinyDisk"/>; skipped, with the reason, where mounting is not allowed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OwnTinyDiskFactAttribute : FactAttribute
{
    public OwnTinyDiskFactAttribute() => Skip = new TinyDiskFactAttribute().Skip ?? new OwnFactAttribute().Skip;
}
