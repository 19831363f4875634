namespace Broker.Tests.Support;

/// <summary>A broker with small queues that, when they are full, refuse what comes.</summary>
public sealed class RefusingQueueBroker : IAsyncLifetime
{
    public const int Window = 2;
    public const int Queue = 3;

    public BrokerServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (SharedBroker.External is null)
        {
            Server = await BrokerServer.StartAsync(
                ("Session:MaxInflight", $"{Window}"), ("Session:MaxQueued", $"{Queue}"), ("Session:QueueFullPolicy", "RefuseNewest"));
        }
    }

    public async Task DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }
    }
}
