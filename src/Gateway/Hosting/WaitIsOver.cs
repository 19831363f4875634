namespace Broker.Gateway.Hosting;

/// <summary>Last step of a start: the port of the waiting room is needed by the real listener.</summary>
internal sealed class WaitIsOver(WaitingRoom room) : IBrokerStartup
{
    public async Task StartAsync(CancellationToken cancellationToken) => await room.DisposeAsync();
}
