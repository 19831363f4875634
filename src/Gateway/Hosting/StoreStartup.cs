using Broker.Grains.Alarms;
using Broker.Grains.Cluster;
using Broker.Grains.Delayed;
using Broker.Grains.Recovery;
using Broker.Grains.Storage;

namespace Broker.Gateway.Hosting;

/// <summary>Opens the store and brings back what it holds, before the first listener opens.</summary>
internal sealed class StoreStartup(
    IMessageStore store, StateRecovery recovery, AlarmService alarms, DelayedMessages delayed, WaitingRoom room, ClusterStartup? cluster = null) : IBrokerStartup
{
    /// <inheritdoc />
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (cluster is not null)
        {
            room.Progress = () => cluster.Obstacle;
            await cluster.RunAsync(cancellationToken);
        }
        else
        {
            var state = await store.OpenAsync(cancellationToken);

            // First: sessions take over the alarms of their queues.
            await alarms.LoadAsync(cancellationToken);
            await recovery.ApplyAsync(state);
            await delayed.OpenAsync(cancellationToken);
        }
    }
}
