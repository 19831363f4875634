using System.IO.Pipelines;
using System.Net;
using System.Text;
using Broker.Gateway.Hosting;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;
using Broker.Gateway.Tests.Hooks;
using Broker.TestKit;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Listeners;

/// <summary>Connections of a balancer, until it is known whose they are.</summary>
public sealed class ListenerAccessTests
{
    private const string Key = "Broker:Listeners:Mqtt:0:ProxyProtocolFrom";

    private static readonly IPEndPoint Balancer = new(IPAddress.Parse("10.0.0.5"), 40000);

    private readonly ListenerAccess _access = new(new ListenerEndpoint { ProxyProtocolFrom = "10.0.0.5" }, 0, TimeSpan.FromMinutes(1));
    private readonly Pipe _sent = new();

    [Theory]
    [InlineData("198.51.100.1", "198.51.100.1:1000")]
    [InlineData("10.0.0.5", "10.0.0.5:1000")]
    [InlineData("127.0.0.1", "10.0.0.5:40000")]
    [InlineData("127.3.2.1", "10.0.0.5:40000")]
    public async Task Client_has_the_address_that_it_is_told_to_have_but_not_that_of_the_brokers_own_machine(string told, string has)
    {
        var connection = NewConnection();
        await _sent.Writer.WriteAsync(Encoding.ASCII.GetBytes($"PROXY TCP4 {told} 10.0.0.9 1000 1883\r\n"));

        Assert.Null(await _access.FindObstacleAsync(connection, CancellationToken.None));
        Assert.Equal(has, connection.RemoteEndPoint?.ToString());
    }

    [Fact]
    public async Task Connection_that_waits_for_a_header_has_a_place_and_ends_when_the_broker_takes_none_any_more()
    {
        await using var broker = await InProcessBroker.StartAsync(static _ => { });
        var gate = broker.Services.GetRequiredService<ConnectionGate>();
        var connection = NewConnection();
        var isServed = false;
        var served = gate.Guard(
            _ =>
            {
                isServed = true;
                return Task.CompletedTask;
            },
            _access)(connection);
        Assert.Equal(1, gate.Open);

        broker.Services.GetRequiredService<BrokerState>().Closed();

        await served.WithinAsync(TimeSpan.FromSeconds(10), () => "the connection has ended");
        Assert.False(isServed);
        Assert.Equal((0, 1, 0), (gate.Open, gate.Refused, gate.Denied));
    }

    [Fact]
    public async Task Balancer_that_goes_away_before_its_header_is_refused_by_that_key()
    {
        var connection = NewConnection();
        await _sent.Writer.WriteAsync("PROXY TCP4 198"u8.ToArray());
        await _sent.Writer.CompleteAsync();

        Assert.Equal(Key, await _access.FindObstacleAsync(connection, CancellationToken.None));
    }

    private DefaultConnectionContext NewConnection() => new("balancer", new Transport(_sent.Reader), new Transport(_sent.Reader))
    {
        RemoteEndPoint = Balancer,
    };

    private sealed class Transport(PipeReader input) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output { get; } = new Pipe().Writer;
    }
}
