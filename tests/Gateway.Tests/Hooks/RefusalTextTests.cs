using Broker.Grains.Hooks;
using Broker.Protocol;
using Broker.TestKit.Clients;
using Broker.TestKit.Wire;

namespace Broker.Gateway.Tests.Hooks;

/// <summary>Reason Strings of what hooks refuse.</summary>
public sealed class RefusalTextTests
{
    private static readonly ReasonCode[] OfPublish = Refusals(PacketType.PubAck);
    private static readonly ReasonCode[] OfSubscribe = Refusals(PacketType.SubAck);

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task Whatever_code_a_hook_refuses_with_the_client_gets_words_if_it_wants_them_MQTT_3_1_2_29(uint wantsThem)
    {
        await using var broker = await InProcessBroker.StartAsync(static services => services.AddHook(new Refuser()));
        await using var client = await ScriptedClient.ConnectAsync(
            broker.Mqtt, new ConnectOptions { Properties = new() { { Prop.RequestProblemInformation, wantsThem } } });

        foreach (var reason in OfPublish)
        {
            foreach (var qos in (int[])[1, 2])
            {
                var answer = (await client.PublishAsync($"{reason}", "x", qos))!;
                Assert.Equal((reason, wantsThem == 1), (answer.Reason, answer.Properties.Has(Prop.ReasonString)));
            }
        }

        foreach (var reason in OfSubscribe)
        {
            var answer = await client.SubscribeAsync($"{reason}");
            Assert.Equal((reason, wantsThem == 1), (answer.Reasons[0], answer.Properties.Has(Prop.ReasonString)));
        }

        var unsubscribed = await client.UnsubscribeAsync("t");
        Assert.Equal(
            (ReasonCode.ImplementationSpecificError, wantsThem == 1),
            (unsubscribed.Reasons[0], unsubscribed.Properties.Has(Prop.ReasonString)));
    }

    private static ReasonCode[] Refusals(PacketType type) =>
        [.. Enum.GetValues<ReasonCode>().Where(reason => reason >= ReasonCode.UnspecifiedError && ReasonCodes.IsAllowed(reason, type))];

    /// <summary>Refuses with the code that the topic or the filter names; throws at the end of a subscription.</summary>
    private sealed class Refuser : IPublishHook, ISubscribeHook, IUnsubscribeHook
    {
        public HookFailure OnFailure => HookFailure.Closed;

        public ValueTask<PublishVerdict> OnPublishAsync(HookClient client, HookMessage message, CancellationToken cancellationToken) =>
            new(PublishVerdict.Refuse(Enum.Parse<ReasonCode>(message.Topic)));

        public ValueTask<SubscribeVerdict> OnSubscribeAsync(
            HookClient client, SubscriptionRequest request, CancellationToken cancellationToken) =>
            new(SubscribeVerdict.Refuse(Enum.Parse<ReasonCode>(request.Filter)));

        public ValueTask<string> OnUnsubscribeAsync(HookClient client, string filter, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("a defect");
    }
}
