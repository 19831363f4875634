using System.Collections.Concurrent;

namespace Broker.Grains.Tests.Cluster;

/// <summary>A membership that notes who is declared dead.</summary>
internal sealed class Killer : IClusterMembershipService
{
    private readonly TaskCompletionSource _looked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentQueue<SiloAddress> Killed { get; } = [];

    /// <summary>Completes with the second declaration: then every silo has been looked at once, whatever their order.</summary>
    public Task Looked => _looked.Task;

    public ClusterMembershipSnapshot CurrentSnapshot => throw new NotSupportedException();

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public Task<bool> TryKill(SiloAddress siloAddress)
    {
        Killed.Enqueue(siloAddress);
        if (Killed.Count == 2)
        {
            _looked.TrySetResult();
        }

        return Task.FromResult(true);
    }
}
