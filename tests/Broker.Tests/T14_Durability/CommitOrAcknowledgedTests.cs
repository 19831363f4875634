using System.Net;

namespace Broker.Tests.T14_Durability;

/// <summary>Commit or acknowledged, whichever is first, as the file of a real broker sees it.</summary>
public sealed class CommitOrAcknowledgedTests(NotingBroker noting) : BrokerTest, IClassFixture<NotingBroker>
{
    private const int Messages = 500;

    // Less than the window of the subscriber: none waits in its queue, where it would be written.
    private const int Together = 20;

    protected override IPEndPoint Broker => noting.Server.Mqtt;

    /// <summary>"Almost": a machine that stands still for longer than the grace has a few of them written.</summary>
    [OwnTheory, BothVersions]
    public async Task Fast_subscriber_of_a_durable_session_costs_almost_no_row(ProtocolVersion version)
    {
        await DeliverAsync(version, acknowledges: true);

        Assert.InRange(noting.Deliveries(Id()), 0, Messages / 10);
    }

    [OwnTheory, BothVersions]
    public async Task Slow_subscriber_of_a_durable_session_has_every_message_written(ProtocolVersion version)
    {
        await DeliverAsync(version, acknowledges: false);

        Assert.Equal(Messages, noting.Deliveries(Id()));
    }

    /// <summary>Publishes to a connected durable session; every publish is acknowledged when this returns.</summary>
    private async Task DeliverAsync(ProtocolVersion version, bool acknowledges)
    {
        var subscriber = await ConnectAsync(ConnectOptions.Durable(version, Id()) with { AcknowledgesByItself = acknowledges });
        await subscriber.SubscribeAsync(Topic(), 1);
        var publisher = await ConnectAsync(version);
        for (var number = 1; number <= Messages; number++)
        {
            await publisher.SendPublishAsync(Topic(), $"{number}", 1);
            for (var waiting = Together; waiting > 0 && number % Together == 0; waiting--)
            {
                Assert.Equal(ReasonCode.Success, (await publisher.ExpectAsync(PacketType.PubAck)).Reason);
            }
        }

        if (acknowledges)
        {
            await subscriber.ExpectPublishesAsync(Messages);
        }
    }
}
