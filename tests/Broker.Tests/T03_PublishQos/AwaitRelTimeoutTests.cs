namespace Broker.Tests.T03_PublishQos;

/// <summary>Packet identifiers of QoS 2 messages whose PUBREL does not come in time.</summary>
public sealed class AwaitRelTimeoutTests() : OwnBrokerTest(("Session:AwaitRelTimeout", "1s"))
{
    // More than the setting: the identifier is free.
    private static readonly TimeSpan Passed = TimeSpan.FromSeconds(1.2);

    [OwnTheory, BothVersions]
    public async Task Identifier_is_free_for_another_message_and_a_repetition_is_one_still(ProtocolVersion version)
    {
        var subscriber = await SubscriberAsync(version, Topic(), 2);
        var publisher = await ConnectAsync(version);
        await PublishAsync(publisher, "first", isRepeated: false);

        await Task.Delay(Passed);
        await PublishAsync(publisher, "first", isRepeated: true);
        await Task.Delay(Passed);
        await PublishAsync(publisher, "second", isRepeated: false);

        await subscriber.ExpectPublishAsync(Topic(), "first");
        await subscriber.ExpectPublishAsync(Topic(), "second");
    }

    private async Task PublishAsync(ScriptedClient publisher, string payload, bool isRepeated)
    {
        await publisher.SendPublishAsync(new PublishOptions(Topic(), payload) { Qos = 2, PacketId = 7, Dup = isRepeated });
        await publisher.ExpectAsync(PacketType.PubRec, 7);
    }
}
