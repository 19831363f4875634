using Broker.Grains.Interfaces.Topics;
using Orleans.Runtime.Services;

namespace Broker.Grains.Topics;

/// <summary>Finds the inbox of a silo by its address; no directory is asked.</summary>
public sealed class InboxClient(IServiceProvider services) : GrainServiceClient<ISiloInbox>(services)
{
    /// <summary>The inbox of <paramref name="silo"/>. Calls fail while the silo starts and once it has stopped.</summary>
    public ISiloInbox Of(SiloAddress silo) => GetGrainService(silo);
}
