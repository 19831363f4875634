namespace Broker.Grains.Tests.Storage;

/// <summary>A test that mounts a <see cref="TinyDisk"/>; skipped, with the reason, where that is not allowed.</summary>
internal sealed class TinyDiskFactAttribute : Xunit.FactAttribute
{
    public TinyDiskFactAttribute()
    {
        var disk = TinyDisk.TryMount(1, out var reason);
        if (disk is null)
        {
            Skip = reason;
        }

        disk?.Unmount();
    }
}
