using System.Net;

namespace Broker.Tests.Support;

/// <summary>A test with a broker of its own: with other settings, or one that it kills. Use with <see cref="OwnFactAttribute"/>.</summary>
public abstract class OwnBrokerTest(params (string Key, string Value)[] settings) : BrokerTest
{
    protected BrokerServer Server { get; private set; } = null!;

    protected sealed override IPEndPoint Broker => Server.Mqtt;

    public override async Task InitializeAsync() => Server = await BrokerServer.StartAsync(settings);

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await Server.DisposeAsync();
    }
}
