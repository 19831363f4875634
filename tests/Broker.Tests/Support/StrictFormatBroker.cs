namespace Broker.Tests.Support;

/// <summary>A broker that looks at payloads that are said to be UTF-8.</summary>
public sealed class StrictFormatBroker : IAsyncLifetime
{
    public BrokerServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await BrokerServer.StartAsync(("Mqtt:ValidatePayloadFormat", "true"));

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
