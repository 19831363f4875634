using System.Net;

namespace Broker.Tests.T03_PublishQos;

public sealed class PayloadFormatTests(StrictFormatBroker fixture) : BrokerTest, IClassFixture<StrictFormatBroker>
{
    private static readonly byte[] NotUtf8 = [0x61, 0xC3, 0x28];

    protected override IPEndPoint Broker => fixture.Server.Mqtt;

    [OwnTheory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Payload_that_is_not_utf8_although_it_says_so_is_refused_0x99(int qos)
    {
        var subscriber = await SubscriberAsync(ProtocolVersion.Mqtt5, Topic(), 2);
        var publisher = await ConnectAsync();

        var refused = await publisher.PublishAsync(Said(NotUtf8, 1) with { Qos = qos });
        var accepted = await publisher.PublishAsync(Said("grün"u8.ToArray(), 1) with { Qos = qos });
        var binary = await publisher.PublishAsync(Said(NotUtf8, 0) with { Qos = qos });

        Assert.Equal(ReasonCode.PayloadFormatInvalid, refused!.Reason);
        Assert.NotNull(refused.Properties.Text(Prop.ReasonString));
        Assert.Equal((ReasonCode.Success, ReasonCode.Success), (accepted!.Reason, binary!.Reason));
        var text = await subscriber.ExpectPublishAsync(Topic(), "grün");
        Assert.Equal(1u, text.Properties.Number(Prop.PayloadFormatIndicator));
    }

    [OwnFact]
    public async Task Qos_0_publisher_of_such_a_payload_is_disconnected_0x99()
    {
        var publisher = await ConnectAsync();

        await publisher.SendPublishAsync(Said(NotUtf8, 1));

        await publisher.ExpectDisconnectAsync(ReasonCode.PayloadFormatInvalid);
    }

    [OwnFact]
    public async Task Payload_is_looked_at_also_when_it_comes_in_pieces()
    {
        var publisher = await ConnectAsync();
        var bytes = Packets.Publish(ProtocolVersion.Mqtt5, Said("grün"u8.ToArray(), 1) with { Qos = 1, PacketId = 5 });

        // Between the two bytes of the ü.
        foreach (var half in (ReadOnlyMemory<byte>[])[bytes.AsMemory(0, bytes.Length - 2), bytes.AsMemory(bytes.Length - 2)])
        {
            await publisher.SendAsync(half);
        }

        Assert.Equal(ReasonCode.NoMatchingSubscribers, (await publisher.PickAsync(PacketType.PubAck, 5)).Reason);
    }

    [OwnFact]
    public async Task Will_whose_payload_is_not_what_it_says_is_refused_with_its_connect_0x99()
    {
        var client = await AttemptAsync(new ConnectOptions
        {
            Will = new Will(Topic(), NotUtf8) { Properties = new() { { Prop.PayloadFormatIndicator, 1 } } },
        });

        Assert.Equal(ReasonCode.PayloadFormatInvalid, (await client.ExpectAsync(PacketType.ConnAck)).Reason);
        await client.ExpectCloseAsync();
    }

    private PublishOptions Said(byte[] payload, uint format) => new(Topic(), payload)
    {
        Properties = new() { { Prop.PayloadFormatIndicator, format } },
    };
}
