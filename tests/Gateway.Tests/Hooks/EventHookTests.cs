using System.Collections.Concurrent;
using Broker.Grains.Hooks;
using Broker.Protocol;
using Broker.TestKit;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;

namespace Broker.Gateway.Tests.Hooks;

/// <summary>Events reach hooks, in the order in which they happen to a client.</summary>
public sealed class EventHookTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Life_of_a_client_is_told_in_order()
    {
        var hook = new RecordingHook();
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(hook));
        var options = ConnectOptions.Durable(ProtocolVersion.Mqtt5, "c") with { AcknowledgesByItself = true };
        var client = await ScriptedClient.ConnectAsync(broker.Mqtt, options);
        await client.SubscribeAsync("t", 2);
        await client.PublishAsync("t", "1", 1);
        await client.PickAsync(static packet => packet.Type == PacketType.Publish, "its own message");
        await hook.SeenAsync(nameof(MessageAcked));
        await client.UnsubscribeAsync("t");
        await using var second = await ScriptedClient.ConnectAsync(broker.Mqtt, options);
        await hook.SeenAsync(nameof(ClientDisconnected));
        await client.DisposeAsync();
        await second.SendPublishAsync("$SYS/mine", "refused", 1, id: 1);
        await second.ExpectAsync(PacketType.PubAck, 1);
        await hook.SeenAsync(nameof(MessageDropped));

        var events = hook.Events.ToList();
        Assert.All(events, static e => Assert.Equal("c", e.ClientId));
        Assert.Equal(
            [
                nameof(SessionCreated), nameof(ClientConnected), nameof(ClientSubscribe), nameof(MessagePublish), nameof(MessageDelivered),
                nameof(MessageAcked), nameof(ClientUnsubscribe), nameof(SessionTakenOver),
            ],
            events.Take(8).Select(static e => e.GetType().Name));
        Assert.Equal(
            [nameof(ClientConnected), nameof(ClientDisconnected), nameof(MessageDropped), nameof(SessionResumed)],
            events.Skip(8).Select(static e => e.GetType().Name).Order(StringComparer.Ordinal));

        var published = events.OfType<MessagePublish>().Single();
        Assert.Matches("^[0-9a-f]{32}$", published.MessageId);
        Assert.Equal(published.MessageId, events.OfType<MessageDelivered>().Single().MessageId);
        Assert.Equal(published.MessageId, events.OfType<MessageAcked>().Single().MessageId);
        Assert.Equal("session_taken_over", events.OfType<ClientDisconnected>().Single().Reason);
        Assert.True(events.OfType<ClientConnected>().Last().SessionPresent);
    }

    /// <summary>A client that answers with an error has not taken the message.</summary>
    [Theory]
    [InlineData(1, PacketType.PubAck)]
    [InlineData(2, PacketType.PubRec)]
    public async Task Message_that_the_client_refuses_is_not_told_as_acknowledged(int qos, PacketType answer)
    {
        var hook = new RecordingHook();
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(hook));
        await using var client = await ScriptedClient.ConnectAsync(broker.Mqtt);
        await client.SubscribeAsync("t/#", qos);
        await using var publisher = await ScriptedClient.ConnectAsync(broker.Mqtt);
        foreach (var (topic, reason) in new[] { ("t/refused", ReasonCode.QuotaExceeded), ("t/taken", ReasonCode.Success) })
        {
            await publisher.PublishAsync(topic, "x", qos);
            var packet = await client.ExpectPublishAsync(topic, "x");
            await client.AckAsync(answer, packet.PacketId, reason);
        }

        await hook.SeenAsync(nameof(MessageAcked));

        // Events of a client are told in order: that of the first message would have come before.
        Assert.Equal(["t/taken"], hook.Events.OfType<MessageAcked>().Select(static e => e.Topic));
    }

    [Fact]
    public async Task Session_that_expires_is_told()
    {
        var hook = new RecordingHook();
        await using var broker = await InProcessBroker.StartAsync(services => services.AddHook(hook));
        await using var client = await ScriptedClient.ConnectAsync(
            broker.Mqtt, ConnectOptions.Durable(ProtocolVersion.Mqtt5, "short", expirySeconds: 1));
        await client.DisconnectAsync();

        await hook.SeenAsync(nameof(SessionExpired));
    }

    private sealed class RecordingHook :
        IEventHook<ClientConnected>, IEventHook<ClientDisconnected>, IEventHook<ClientSubscribe>, IEventHook<ClientUnsubscribe>,
        IEventHook<MessagePublish>, IEventHook<MessageDelivered>, IEventHook<MessageAcked>, IEventHook<MessageDropped>,
        IEventHook<SessionCreated>, IEventHook<SessionResumed>, IEventHook<SessionTakenOver>, IEventHook<SessionExpired>
    {
        public ConcurrentQueue<BrokerEvent> Events { get; } = [];

        public Task SeenAsync(string name) => Eventually.TrueAsync(
            () => Events.Any(e => e.GetType().Name == name), Limit, () => $"{name} among {string.Join(", ", Events.Select(e => e.GetType().Name))}");

        public ValueTask OnEventAsync(ClientConnected happened, CancellationToken cancellationToken) => Keep(happened);

        public ValueTask OnEventAsync(ClientDisconnected happened, CancellationToken cancellationToken) => Keep(happened);

        public ValueTask OnEventAsync(ClientSubscribe happened, CancellationToken cancellationToken) => Keep(happened);

        public ValueTask OnEventAsync(ClientUnsubscribe happened, CancellationToken cancellationToken) => Keep(happened);

        public ValueTask OnEventAsync(MessagePublish happened, CancellationToken cancellationToken) => Keep(happened);

        public ValueTask OnEventAsync(MessageDelivered happened, CancellationToken cancellationToken) => Keep(happened);

        public ValueTask OnEventAsync(MessageAcked happened, CancellationToken cancellationToken) => Keep(happened);

        public ValueTask OnEventAsync(MessageDropped happened, CancellationToken cancellationToken) => Keep(happened);

        public ValueTask OnEventAsync(SessionCreated happened, CancellationToken cancellationToken) => Keep(happened);

        public ValueTask OnEventAsync(SessionResumed happened, CancellationToken cancellationToken) => Keep(happened);

        public ValueTask OnEventAsync(SessionTakenOver happened, CancellationToken cancellationToken) => Keep(happened);

        public ValueTask OnEventAsync(SessionExpired happened, CancellationToken cancellationToken) => Keep(happened);

        private ValueTask Keep(BrokerEvent happened)
        {
            Events.Enqueue(happened);
            return ValueTask.CompletedTask;
        }
    }
}
