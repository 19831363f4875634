using System.Buffers;
using System.Text;
using Broker.Gateway.Auth;
using Broker.Gateway.Connections;
using Broker.Grains.Diagnostics;
using Broker.Grains.Hooks;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Routing;
using Broker.Protocol;

namespace Broker.Gateway.Admin.Api;

/// <summary>Publishes for a client of HTTP: the same limits, rights and hooks as for a client of MQTT, and an answer that means the same as PUBACK.</summary>
internal sealed class HttpPublisher(
    BrokerPublisher publisher,
    AccessControl access,
    HookFolds hooks,
    ConnectionEvents events,
    DropLedger drops,
    LimitOptions limits,
    PublishRules rules,
    TimeProvider time,
    PublishGate gate)
{
    /// <summary>Publishes one message and waits for its answer; one that a stop has ended is answered as well.</summary>
    /// <param name="cancellationToken">Fires with <see cref="PublishGate.Over"/>, and when the client has gone.</param>
    public async Task<PublishAnswer> PublishAsync(HttpUser user, PublishRequest request, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            return await PublishToEndAsync(user, request, cancellationToken);
        }
        catch (OperationCanceledException) when (gate.Over.IsCancellationRequested)
        {
            return Answer(ReasonCode.ServerShuttingDown, MessageId.None) with
            {
                Error = "the broker is stopping; the message may have reached some subscribers, publish it again",
            };
        }
    }

    private async Task<PublishAnswer> PublishToEndAsync(HttpUser user, PublishRequest request, CancellationToken cancellationToken)
    {
        var id = request.ClientId is { Length: > 0 } named ? named : user.DefaultId;
        if (!IsClientIdAllowed(id))
        {
            return Answer(ReasonCode.PayloadFormatInvalid, MessageId.None) with
            {
                Error = $"clientId: at most {limits.MaxClientIdLength} bytes, and no name that the broker keeps for itself",
            };
        }

        if (await user.AsAsync(id, cancellationToken) is not { } client)
        {
            return Answer(ReasonCode.NotAuthorized, MessageId.None) with { Error = "clientId: not for this user" };
        }

        if (!TryRead(client, request, out var message, out var error))
        {
            return Answer(ReasonCode.PayloadFormatInvalid, MessageId.None) with { Error = error };
        }

        rules.Count(message.Qos);
        var isSaidUtf8 = request.Properties?.PayloadFormatIndicator == 1;
        if (!rules.IsPayloadAllowed(isSaidUtf8, new ReadOnlySequence<byte>(message.Bytes[(message.TopicLength + message.PropertiesLength)..])))
        {
            drops.Add(client.ClientId, message.Topic, DropReason.PayloadFormat, 1, message.Id);
            return Answer(ReasonCode.PayloadFormatInvalid, message.Id) with { Error = "payload: said to be UTF-8 and is not" };
        }

        // Hooks do not know that the broker stops: what they are asked is not waited for then.
        var right = access.AuthorizeAsync(
            client, AccessKind.Publish, message.Bytes[..message.TopicLength], message.Qos, message.Retain, cancellationToken);
        if (!await right.AsTask().WaitAsync(cancellationToken))
        {
            drops.Add(client.ClientId, message.Topic, DropReason.NotAuthorized, 1, message.Id);
            return Answer(ReasonCode.NotAuthorized, message.Id);
        }

        if (hooks.HasPublish)
        {
            var asked = new HookClient(client.ClientId, client.UserName, RemoteAddress.Known(client.Address));
            var (given, reason) = await hooks.PublishAsync(asked, message).AsTask().WaitAsync(cancellationToken);
            if (given is null)
            {
                drops.Add(client.ClientId, message.Topic, DropReason.Hook, 1, message.Id);
                return Answer(reason, message.Id);
            }

            message = given;
        }

        events.Published(client.ClientId, message);
        NoteAccepted(client.ClientId, message);
        return Answer(await publisher.PublishAsync(message, cancellationToken), message.Id);
    }

    private void NoteAccepted(string clientId, ApplicationMessage message)
    {
        var source = new PublishSource(message);
        rules.NoteAccepted(clientId, 0, ref source);
    }

    private static PublishAnswer Answer(ReasonCode reason, MessageId id) =>
        new((int)reason, reason.ToString(), id == MessageId.None ? null : id.ToString());

    /// <summary>As CONNECT has it; a JSON text may also have characters that no text of MQTT has [MQTT-1.5.4-2].</summary>
    private bool IsClientIdAllowed(string clientId) =>
        ClientName.IsAllowed(clientId, limits.MaxClientIdLength) && Utf8Rules.IsValid(Encoding.UTF8.GetBytes(clientId));

    private bool TryRead(ClientIdentity client, PublishRequest request, out ApplicationMessage message, out string error)
    {
        message = null!;
        if (!TryDecode(request, out var payload))
        {
            error = "payload and encoding: a text with encoding 'plain', or base64 with encoding 'base64'";
            return false;
        }

        var given = request.Properties ?? new PublishRequestProperties();
        var properties = new PublishProperties
        {
            PayloadIsUtf8 = given.PayloadFormatIndicator == 1,
            ContentType = given.ContentType,
            ResponseTopic = given.ResponseTopic,
            CorrelationData = given.CorrelationData,
            UserProperties = [.. given.UserProperties.Select(static p => new UserProperty(p.Name, p.Value))],
        };
        var draft = new MessageDraft(request.Topic, properties, payload, request.Qos, request.Retain, client.ClientId)
        {
            ExpiresAt = given.MessageExpiryInterval is { } seconds
                ? time.GetUtcNow().AddSeconds(seconds).ToUnixTimeMilliseconds()
                : long.MaxValue,
        };
        if (!draft.TryFinish(publisher, rules, time, out var finished, out error))
        {
            return false;
        }

        message = finished;
        return true;
    }

    private static bool TryDecode(PublishRequest request, out byte[] payload)
    {
        payload = [];
        switch (request.Encoding)
        {
            case "plain":
                payload = Encoding.UTF8.GetBytes(request.Payload);
                return true;
            case "base64":
                var buffer = new byte[request.Payload.Length];
                var isValid = Convert.TryFromBase64String(request.Payload, buffer, out var length);
                payload = buffer[..length];
                return isValid;
            default:
                return false;
        }
    }
}
