using System.Globalization;
using System.Net;

namespace Broker.Tests.Support;

/// <summary>One broker with default settings for all tests that leave it as they found it.</summary>
public sealed class SharedBroker : IAsyncLifetime
{
    public const string Collection = "Shared broker";

    private BrokerServer? _server;

    /// <summary>BROKER_TEST_ENDPOINT=host:port names a running broker to use instead of starting one.</summary>
    public static string? External { get; } = Environment.GetEnvironmentVariable("BROKER_TEST_ENDPOINT");

    public IPEndPoint Endpoint { get; private set; } = null!;

    /// <summary>The process, for its memory and processor time.</summary>
    public BrokerServer Server => _server ?? throw new InvalidOperationException("the broker is not ours to look into");

    public async Task InitializeAsync()
    {
        if (External is not null)
        {
            var parts = External.Split(':');
            Endpoint = new IPEndPoint(IPAddress.Parse(parts[0]), int.Parse(parts[1], CultureInfo.InvariantCulture));
            return;
        }

        _server = await BrokerServer.StartAsync();
        Endpoint = _server.Mqtt;
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
