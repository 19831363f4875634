namespace Broker.Tests.T16_Startup;

public sealed class ShutdownTests() : OwnBrokerTest
{
    [OwnFact]
    public async Task Mqtt5_clients_are_told_that_the_server_shuts_down_0x8B()
    {
        var client = await ConnectAsync();

        await Server.TerminateAsync();

        // It has no other silos and no Server Reference, so there is nowhere else to go.
        await client.ExpectDisconnectAsync(ReasonCode.ServerShuttingDown);
    }

    [OwnTheory, BothVersions]
    public async Task Sessions_messages_and_retained_messages_are_there_after_a_clean_stop(ProtocolVersion version)
    {
        var options = ConnectOptions.Durable(version, Id());
        var client = await ConnectAsync(options);
        await client.SubscribeAsync(Topic("#"), 1);
        var publisher = await ConnectAsync(version);
        await publisher.PublishAsync(Topic(), "in flight", 1);
        await client.ExpectPublishAsync(Topic(), "in flight");
        await publisher.PublishAsync(Topic("kept"), "kept", 1, retain: true);
        await client.ExpectPublishAsync(Topic("kept"), "kept");

        Assert.Equal(0, await Server.TerminateAsync());
        await Server.StartAsync();

        client = await ConnectAsync(options);
        Assert.True(client.ConnAck.SessionPresent);
        Assert.True((await client.ExpectPublishAsync(Topic(), "in flight")).Dup);
        await client.ExpectPublishAsync(Topic("kept"), "kept");
        var late = await SubscriberAsync(version, Topic("kept"));
        await late.ExpectPublishAsync(Topic("kept"), "kept");
    }
}
