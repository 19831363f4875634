using Broker.Grains.Diagnostics;
using Broker.Grains.Hooks;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Messages;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>Hooks that decide about what the client does; nothing of this runs when none is registered.</summary>
internal sealed partial class ClientConnection
{
    private HookClient? _hookClient;

    private HookClient HookClient => _hookClient ??= new HookClient(ClientId, _identity!.UserName, _identity.Address);

    /// <summary>A publish that the client may make: hooks have their say, then it is routed. The client is not read meanwhile.</summary>
    private async Task PublishThroughHooksAsync(ApplicationMessage message, ushort packetId)
    {
        var (given, reason) = _services.Hooks.HasPublish
            ? await _services.Hooks.PublishAsync(HookClient, message)
            : (message, ReasonCode.Success);
        if (_isClosing)
        {
            // Another connection may act for the client by now; it repeats what was not acknowledged.
            return;
        }

        using var batch = FlushBatch.Open();
        if (given is null)
        {
            _services.Drops.Add(ClientId, message.Topic, DropReason.Hook, 1, message.Id);
            AnswerUnrouted(message.Qos, packetId, reason);
            return;
        }

        _services.Events.Published(ClientId, given);
        var source = new PublishSource(given);
        Publish(ref source, packetId);
    }

    private void AnswerUnrouted(QualityOfService qos, ushort packetId, ReasonCode reason)
    {
        if (reason != ReasonCode.Success)
        {
            TellRefusal(qos, packetId, reason);
        }
        else if (qos != QualityOfService.AtMostOnce)
        {
            _acknowledgements.Add(ResponseTo(qos), packetId, ReasonCode.Success);
        }
    }

    /// <summary>A Will is a publish: hooks see it when the client says what it is to be, because there is nobody to tell later.</summary>
    private async Task<(WillClaim? Will, ReasonCode Reason)> AskAboutWillAsync(WillClaim will)
    {
        var message = new ApplicationMessage(will.Bytes, will.TopicLength, will.PropertiesLength)
        {
            Qos = will.Qos,
            Retain = will.Retain,
            Publisher = ClientId,
        };
        var (given, reason) = await _services.Hooks.PublishAsync(HookClient, message);
        return given is null
            ? (null, reason)
            : (will with { Bytes = given.Bytes.ToArray(), TopicLength = given.TopicLength, Retain = given.Retain }, reason);
    }

    /// <summary>The subscription that hooks have made of it; null and why when one has refused it.</summary>
    private async ValueTask<SubscribeVerdict> AskAboutAsync(SubscriptionRequest request) => _services.Hooks.HasSubscribe
        ? await _services.Hooks.SubscribeAsync(HookClient, request)
        : SubscribeVerdict.Continue(request);

    private async ValueTask<string?> AskAboutEndAsync(string filter) => _services.Hooks.HasUnsubscribe
        ? await _services.Hooks.UnsubscribeAsync(HookClient, filter)
        : filter;
}
