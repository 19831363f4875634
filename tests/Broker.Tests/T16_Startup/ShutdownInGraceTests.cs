namespace Broker.Tests.T16_Startup;

/// <summary>The stop comes while records of publishes wait for fast acknowledgements and have no row yet.</summary>
public sealed class ShutdownInGraceTests() : OwnBrokerTest(("Store:AckGrace", "10s"))
{
    [OwnTheory, BothVersions]
    public async Task Publish_that_is_held_back_is_acknowledged_or_can_be_sent_again_and_nothing_is_lost(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic(), 1);
        var publishing = ConnectOptions.Durable(version, Id("publisher"));
        var publisher = await ConnectAsync(publishing);
        for (ushort id = 1; id <= 5; id++)
        {
            await publisher.SendPublishAsync(Topic(), $"{id}", 1, id: id);
            await client.ExpectPublishAsync(Topic(), $"{id}");
        }

        // No subscriber has acknowledged: nothing is durable, so no publisher may have been told that it is.
        Assert.Equal(0, await Server.TerminateAsync());
        await publisher.ExpectDisconnectAsync(ReasonCode.ServerShuttingDown);
        await Server.StartAsync();

        client = await ConnectAsync(options);
        client.AcknowledgesByItself = true;
        Assert.True(client.ConnAck.SessionPresent);
        publisher = await ConnectAsync(publishing);
        for (ushort id = 1; id <= 5; id++)
        {
            await publisher.SendPublishAsync(new PublishOptions(Topic(), $"{id}") { Qos = 1, PacketId = id, Dup = true });
            await publisher.ExpectAsync(PacketType.PubAck, id);
        }

        var arrived = new HashSet<string>();
        while (arrived.Count < 5)
        {
            arrived.Add((await client.ExpectAsync(PacketType.Publish)).Text);
        }
    }
}
