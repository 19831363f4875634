using System.IO.Pipelines;
using Broker.Gateway.Connections;
using Broker.Gateway.Hosting;
using Broker.Gateway.Listeners;
using Broker.Gateway.Options;
using Broker.Gateway.Tests.Hooks;
using Broker.Grains.Hooks;
using Broker.Protocol;
using Broker.TestKit;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Connections;

/// <summary>Clients whose CONNECT meets a broker that stops.</summary>
public sealed class LateConnectTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(ProtocolVersion.Mqtt5)]
    [InlineData(ProtocolVersion.Mqtt311)]
    public async Task Connect_that_is_under_way_when_the_broker_stops_is_refused_at_once_and_leaves_no_session(ProtocolVersion version)
    {
        var hook = new SlowHook();
        await using var broker = await InProcessBroker.StartAsync(
            services => services.AddHook(hook), static options => options.Hooks.TimeLimit = TimeSpan.FromMinutes(1));
        await using var client = await ScriptedClient.OpenAsync(broker.Mqtt, new ConnectOptions(version) { ClientId = "late" });
        await client.SendAsync(Packets.Connect(client.Options));
        await Eventually.TrueAsync(() => hook.Asked == 1, Limit, static () => "the hook is asked");

        var stop = broker.StopAsync();
        var answer = await client.ExpectAsync(PacketType.ConnAck);
        Assert.False(stop.IsCompleted);
        hook.Answer.SetResult();
        await client.ExpectCloseAsync();
        await stop.WaitAsync(Limit);

        Assert.Equal(version == ProtocolVersion.Mqtt5 ? ReasonCode.ServerUnavailable : (ReasonCode)3, answer.Reason);
        Assert.Equal(0, hook.Begun);
    }

    // MQTT 5.0 section 4.11
    [Fact]
    public async Task Server_Reference_is_told_to_clients_that_are_here_on_their_way_and_come_during_the_stop()
    {
        var hook = new SlowHook();
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(hook), static options =>
        {
            options.Hooks.TimeLimit = TimeSpan.FromMinutes(1);
            options.Shutdown.ServerReference = "other.example:1883";
        });
        await using var here = await ScriptedClient.ConnectAsync(broker.Mqtt);
        await using var underWay = await ScriptedClient.OpenAsync(broker.Mqtt, new ConnectOptions { ClientId = "late" });
        await underWay.SendAsync(Packets.Connect(underWay.Options));
        await Eventually.TrueAsync(() => hook.Asked == 1, Limit, static () => "the hook is asked");

        // The drain waits for the one under way.
        var stop = broker.StopAsync();
        var goodbye = await here.ExpectAsync(PacketType.Disconnect);
        var refusal = await underWay.ExpectAsync(PacketType.ConnAck);
        await using var coming = await ScriptedClient.OpenAsync(broker.Mqtt);
        await coming.SendAsync(Packets.Connect(coming.Options));
        var late = await coming.ExpectAsync(PacketType.ConnAck);
        await coming.ExpectCloseAsync();
        await using var old = await ScriptedClient.OpenAsync(broker.Mqtt, new ConnectOptions(ProtocolVersion.Mqtt311));
        await old.SendAsync(Packets.Connect(old.Options));
        Assert.Equal((ReasonCode)3, (await old.ExpectAsync(PacketType.ConnAck)).Reason);
        await using var stranger = await ScriptedClient.OpenAsync(broker.Mqtt);
        await stranger.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        await stranger.ExpectCloseAsync();
        hook.Answer.SetResult();
        await stop.WaitAsync(Limit);

        Assert.All([goodbye, refusal, late], static packet =>
        {
            Assert.Equal(ReasonCode.UseAnotherServer, packet.Reason);
            Assert.Equal("other.example:1883", packet.Properties.Text(Prop.ServerReference));
        });
    }

    [Fact]
    public async Task Drain_waits_for_a_connection_that_was_let_in_and_is_not_known_yet_and_sends_it_away()
    {
        await using var broker = await InProcessBroker.StartAsync(static _ => { });
        var services = broker.Services.GetRequiredService<ConnectionServices>();
        var come = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var context = new DefaultConnectionContext("late", new SilentTransport(), new SilentTransport());
        var everybody = new ListenerAccess(new ListenerEndpoint(), 0, TimeSpan.FromSeconds(10));
        ConnectionDelegate handler = async let =>
        {
            await come.Task;
            await new ClientConnection(services, let).RunAsync();
        };
        var connection = broker.Services.GetRequiredService<ConnectionGate>().Guard(handler, everybody)(context);

        broker.Services.GetRequiredService<BrokerState>().Closed();
        var drain = broker.Services.GetServices<IConnectionDrain>().OfType<ConnectionDrain>().Single().DrainAsync(CancellationToken.None);
        await Assert.ThrowsAsync<TimeoutException>(() => drain.WaitAsync(TimeSpan.FromMilliseconds(100)));
        come.SetResult();

        await connection.WaitAsync(Limit);
        await drain.WaitAsync(Limit);
    }

    /// <summary>A transport that nothing comes from.</summary>
    private sealed class SilentTransport : IDuplexPipe
    {
        public PipeReader Input { get; } = new Pipe().Reader;

        public PipeWriter Output { get; } = new Pipe().Writer;
    }

    /// <summary>Lets everybody in, later.</summary>
    internal sealed class SlowHook : IAuthenticateHook, IEventHook<SessionCreated>
    {
        private int _asked;
        private int _begun;

        public TaskCompletionSource Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Asked => Volatile.Read(ref _asked);

        public int Begun => Volatile.Read(ref _begun);

        public async ValueTask<HookDecision> OnAuthenticateAsync(
            HookClient client, ReadOnlyMemory<byte>? password, ProtocolVersion version, CancellationToken cancellationToken)
        {
            if (client.ClientId == "late")
            {
                Interlocked.Increment(ref _asked);
                await Answer.Task;
            }

            return HookDecision.Allow;
        }

        public ValueTask OnEventAsync(SessionCreated happened, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _begun);
            return ValueTask.CompletedTask;
        }
    }
}
