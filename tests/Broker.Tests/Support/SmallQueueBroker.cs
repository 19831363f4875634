namespace Broker.Tests.Support;

/// <summary>A broker whose windows and queues are small enough to fill by hand.</summary>
public sealed class SmallQueueBroker : IAsyncLifetime
{
    public const int Window = 3;
    public const int Queue = 5;

    public BrokerServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await BrokerServer.StartAsync(
        ("Session:MaxInflight", $"{Window}"), ("Session:MaxQueued", $"{Queue}"), ("Session:MaxAwaitingRel", "4"));

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
