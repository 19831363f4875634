namespace Broker.Tests.T09_Auth;

public sealed class AnonymousTests(SharedBroker shared) : SharedBrokerTest(shared)
{
    [Theory, EveryVersion]
    public async Task Anonymous_client_from_loopback_is_accepted_when_nothing_is_configured(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);

        await client.PingAsync();
    }

    // [MQTT-3.3.5-2] of 3.1.1
    [Theory, BothVersions]
    public async Task Publishing_to_the_brokers_own_topics_is_not_authorised_0x87(ProtocolVersion version)
    {
        var client = await ConnectAsync(version);

        await client.SendPublishAsync("$SYS/broker/version", "forged", 1, id: 4);

        if (version == ProtocolVersion.Mqtt5)
        {
            Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.PubAck, 4)).Reason);
        }
        else
        {
            await client.ExpectCloseAsync();
        }
    }
}
