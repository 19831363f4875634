using System.Net;

namespace Broker.Tests.T06_Queue;

/// <summary>A full queue that keeps what it has and drops what comes.</summary>
public sealed class RefuseNewestTests(RefusingQueueBroker refusing) : BrokerTest, IClassFixture<RefusingQueueBroker>
{
    protected override IPEndPoint Broker => refusing.Server.Mqtt;

    [OwnTheory, BothVersions]
    public async Task Client_that_was_away_gets_the_oldest_messages(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var leaving = await ConnectAsync(options);
        await leaving.SubscribeAsync(Topic(), 2);
        await leaving.DisconnectAsync();
        await PublishAsync(version, 0, 6);

        var client = await ConnectAsync(options with { AcknowledgesByItself = true });

        await ExpectAsync(client, ["0", "1", "2"]);
        await PublishAsync(version, 6, 7);
        await ExpectAsync(client, ["6"]);
    }

    [OwnTheory, BothVersions]
    public async Task Connected_client_gets_what_fits_behind_its_window_and_what_comes_when_there_is_room_again(ProtocolVersion version)
    {
        var client = await SubscriberAsync(version, Topic(), 1);
        await PublishAsync(version, 0, 9);

        var window = await client.ExpectPublishesAsync(RefusingQueueBroker.Window);
        client.AcknowledgesByItself = true;
        foreach (var message in window)
        {
            await client.AckAsync(PacketType.PubAck, message.PacketId);
        }

        Assert.Equal(["0", "1"], window.Select(static message => message.Text));
        await ExpectAsync(client, ["2", "3", "4"]);
        await PublishAsync(version, 9, 10);
        await ExpectAsync(client, ["9"]);
    }

    /// <summary>Messages with these numbers, each acknowledged: a publisher is not told of what another client's queue does.</summary>
    private async Task PublishAsync(ProtocolVersion version, int from, int to)
    {
        var publisher = await ConnectAsync(version);
        for (var number = from; number < to; number++)
        {
            Assert.Equal(ReasonCode.Success, (await publisher.PublishAsync(Topic(), $"{number}", 1))!.Reason);
        }
    }

    private static async Task ExpectAsync(ScriptedClient client, string[] expected)
    {
        foreach (var text in expected)
        {
            Assert.Equal(text, (await client.PickAsync(static packet => packet.Type == PacketType.Publish, text)).Text);
        }
    }
}
