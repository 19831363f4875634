using Broker.Gateway.Tests.Hooks;
using Broker.Grains.Storage;
using Broker.Protocol;
using Broker.TestKit;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Connections;

/// <summary>Store:MaxPendingBytes: who publishes faster than the store commits is slowed down by not being read.</summary>
public sealed class CongestionTests
{
    private const int Messages = 40;

    // Four fill what may wait for the store; the window of a publisher (1000) is far away.
    private const int PayloadBytes = 16 << 10;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(ProtocolVersion.Mqtt311, 1, false)]
    [InlineData(ProtocolVersion.Mqtt5, 1, false)]
    [InlineData(ProtocolVersion.Mqtt5, 2, false)]
    [InlineData(ProtocolVersion.Mqtt5, 0, true)]
    public async Task Publisher_is_not_read_while_the_store_has_too_much_to_commit_and_then_goes_on(
        ProtocolVersion version, int qos, bool retain)
    {
        await using var broker = await InProcessBroker.StartAsync(static _ => { }, static options => options.Store.MaxPendingBytes = 64 << 10);
        var store = broker.Services.GetRequiredService<IMessageStore>();
        await using (var away = await ScriptedClient.ConnectAsync(broker.Mqtt, ConnectOptions.Durable(version, "away")))
        {
            await away.SubscribeAsync("t/#", 2);
        }

        await using var watcher = await ScriptedClient.ConnectAsync(broker.Mqtt);
        await watcher.SubscribeAsync("#");
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt, version);
        await using var other = await ScriptedClient.ConnectAsync(broker.Mqtt, version);
        using var stalled = new StalledWriter();
        store.Post(stalled);
        await stalled.Begun.WithinAsync(Limit, static () => "the writer stands");

        for (var number = 0; number < Messages; number++)
        {
            await publisher.SendPublishAsync(new PublishOptions($"t/{number}", new byte[PayloadBytes]) { Qos = qos, Retain = retain });
        }

        await publisher.SendAsync(Packets.PingRequest());
        await Eventually.TrueAsync(() => store.IsCongested, Limit, static () => "more waits than may");
        await publisher.ExpectNothingAsync();
        await other.SendPublishAsync("other", "asks nothing of the store");
        await watcher.PickAsync(static packet => packet.Topic == "other", "the message of QoS 0");

        stalled.LetGo();

        for (var count = 0; count < Messages && qos > 0; count++)
        {
            await publisher.PickAsync(
                packet => packet.Type == (qos == 1 ? PacketType.PubAck : PacketType.PubRec), $"the acknowledgement of message {count}");
        }

        await publisher.PickAsync(static packet => packet.Type == PacketType.PingResp, "PINGRESP");
        for (var number = 0; number < Messages; number++)
        {
            var topic = $"t/{number}";
            await watcher.PickAsync(packet => packet.Topic == topic, topic);
        }
    }
}
