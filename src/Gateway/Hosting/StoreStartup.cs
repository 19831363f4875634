using Broker.Grains.Recovery;
using Broker.Grains.Storage;

namespace Broker.Gateway.Hosting;

/// <summary>Opens the store and brings back what it holds, before the first listener opens.</summary>
internal sealed class StoreStartup(IMessageStore store, StateRecovery recovery) : IBrokerStartup
{
    /// <inheritdoc />
    public async Task StartAsync(CancellationToken cancellationToken) =>
        recovery.Apply(await store.OpenAsync(cancellationToken));
}
