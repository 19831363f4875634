using System.Net;

namespace Broker.Tests.T06_Queue;

public sealed class QueuePolicyTests(SmallQueueBroker small) : BrokerTest, IClassFixture<SmallQueueBroker>
{
    protected override IPEndPoint Broker => small.Server.Mqtt;

    [OwnTheory, BothVersions]
    public async Task Full_queue_drops_the_oldest_message(ProtocolVersion version)
    {
        var options = await LeaveSessionAsync(version);
        await PublishAsync(version, Enumerable.Range(0, 8).Select(number => ($"{number}", 1)));

        await ExpectAsync(options, ["3", "4", "5", "6", "7"]);
    }

    [OwnTheory, BothVersions]
    public async Task Full_queue_drops_the_oldest_qos0_message_before_any_other(ProtocolVersion version)
    {
        var options = await LeaveSessionAsync(version);
        await PublishAsync(version, [("a", 1), ("zero 1", 0), ("b", 1), ("zero 2", 0), ("c", 2), ("d", 1), ("e", 1)]);

        await ExpectAsync(options, ["a", "b", "c", "d", "e"]);
    }

    [OwnFact]
    public async Task Full_queue_drops_expired_messages_first_of_all()
    {
        var options = await LeaveSessionAsync(ProtocolVersion.Mqtt5);
        await PublishAsync(ProtocolVersion.Mqtt5, [("a", 1), ("b", 1)]);
        var publisher = await ConnectAsync();
        await publisher.PublishAsync(new PublishOptions(Topic(), "expires")
        {
            Qos = 1, Properties = new() { { Prop.MessageExpiryInterval, 1 } },
        });
        await PublishAsync(ProtocolVersion.Mqtt5, [("c", 1), ("d", 1)]);
        await publisher.ExpectNothingAsync(TimeSpan.FromSeconds(2.1));

        await PublishAsync(ProtocolVersion.Mqtt5, [("e", 1)]);

        await ExpectAsync(options, ["a", "b", "c", "d", "e"]);
    }

    [OwnTheory, BothVersions]
    public async Task Queue_of_a_connected_client_is_limited_beyond_its_window(ProtocolVersion version)
    {
        var client = await SubscriberAsync(version, Topic(), 1);
        await PublishAsync(version, Enumerable.Range(0, 20).Select(number => ($"{number}", 1)));

        var window = await client.ExpectPublishesAsync(SmallQueueBroker.Window);
        client.AcknowledgesByItself = true;
        foreach (var message in window)
        {
            await client.AckAsync(PacketType.PubAck, message.PacketId);
        }

        Assert.Equal(["0", "1", "2"], window.Select(message => message.Text));
        Assert.Equal(["15", "16", "17", "18", "19"], (await client.ExpectPublishesAsync(SmallQueueBroker.Queue)).Select(m => m.Text));
        await client.PingAsync();
        await client.ExpectNothingAsync();
    }

    [OwnTheory, BothVersions]
    public async Task Too_many_unreleased_qos2_messages_end_the_connection_0x93(ProtocolVersion version)
    {
        var publisher = await ConnectAsync(version);
        for (ushort id = 1; id <= 4; id++)
        {
            await publisher.SendPublishAsync(Topic(), "unreleased", 2, id: id);
            await publisher.ExpectAsync(PacketType.PubRec, id);
        }

        await publisher.SendPublishAsync(Topic(), "one too many", 2, id: 5);

        await publisher.ExpectDisconnectAsync(ReasonCode.ReceiveMaximumExceeded);
    }

    private async Task<ConnectOptions> LeaveSessionAsync(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 2);
        await client.DisconnectAsync();
        return options;
    }

    private async Task PublishAsync(ProtocolVersion version, IEnumerable<(string Payload, int Qos)> messages)
    {
        var publisher = await ConnectAsync(version);
        foreach (var (payload, qos) in messages)
        {
            await publisher.PublishAsync(Topic(), payload, qos);
        }

        await publisher.PingAsync();
    }

    private async Task ExpectAsync(ConnectOptions options, string[] expected)
    {
        var client = await ConnectAsync(options with { AcknowledgesByItself = true });
        var received = new List<string>();
        while (received.Count < expected.Length)
        {
            var message = await client.PickAsync(packet => packet.Type == PacketType.Publish, $"message {received.Count}");
            received.Add(message.Text);
        }

        Assert.Equal(expected, received);
    }
}
