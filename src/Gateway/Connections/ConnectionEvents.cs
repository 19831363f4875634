using System.Text;
using Broker.Gateway.Auth;
using Broker.Gateway.Sys;
using Broker.Grains.Hooks;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>What connections tell hooks and the webhook. Each kind costs a field when nobody wants it.</summary>
internal sealed class ConnectionEvents(EventHub hub, HookFolds folds, ILogger<ClientConnection> logger)
{
    private readonly bool _hasConnected = hub.Has(BrokerEventKind.ClientConnected);
    private readonly bool _hasDisconnected = hub.Has(BrokerEventKind.ClientDisconnected);
    private readonly bool _hasSubscribed = hub.Has(BrokerEventKind.ClientSubscribe);
    private readonly bool _hasUnsubscribed = hub.Has(BrokerEventKind.ClientUnsubscribe);
    private readonly bool _hasPublished = hub.Has(BrokerEventKind.MessagePublish);

    /// <summary>Whether somebody is told of each PUBLISH that is sent.</summary>
    public bool HasDelivered { get; } = hub.Has(BrokerEventKind.MessageDelivered);

    /// <summary>Whether the way of each QoS 1 or 2 message is logged; as it was at the start.</summary>
    public bool LogsMessages { get; } = logger.IsEnabled(LogLevel.Debug);

    /// <summary>Whether a publish has to stop for hooks, or for being told of.</summary>
    public bool IntervenesInPublish { get; } = folds.HasPublish || hub.Has(BrokerEventKind.MessagePublish);

    public void Connected(ClientIdentity client, ConnectPacket packet, bool sessionPresent)
    {
        if (_hasConnected)
        {
            hub.Tell(new ClientConnected
            {
                Time = hub.Now,
                ClientId = client.ClientId,
                UserName = client.UserName,
                Address = client.Address.ToString(),
                Protocol = ClientPresence.VersionText(packet.Version),
                SessionPresent = sessionPresent,
                KeepAlive = packet.KeepAlive,
            });
        }
    }

    public void Disconnected(ClientIdentity client, EndCause cause, ReasonCode? reason)
    {
        if (_hasDisconnected)
        {
            hub.Tell(new ClientDisconnected
            {
                Time = hub.Now,
                ClientId = client.ClientId,
                UserName = client.UserName,
                Reason = ClientPresence.ReasonText(cause, reason),
            });
        }
    }

    /// <param name="granted">Filters of one SUBSCRIBE, with what they were before.</param>
    public void Subscribed(string clientId, List<SubscriptionBackup> granted, Session session)
    {
        if (!_hasSubscribed)
        {
            return;
        }

        foreach (var subscription in granted)
        {
            if (session.Backup(subscription.Filter).Options is { } options)
            {
                hub.Tell(new ClientSubscribe { Time = hub.Now, ClientId = clientId, Filter = subscription.Filter, Qos = options & 3 });
            }
        }
    }

    public void Unsubscribed(string clientId, string filter, ReasonCode reason)
    {
        if (_hasUnsubscribed && reason == ReasonCode.Success)
        {
            hub.Tell(new ClientUnsubscribe { Time = hub.Now, ClientId = clientId, Filter = filter });
        }
    }

    public void Published(string clientId, ApplicationMessage message)
    {
        if (_hasPublished)
        {
            hub.Tell(new MessagePublish
            {
                Time = hub.Now,
                ClientId = clientId,
                Topic = Encoding.UTF8.GetString(message.Topic),
                Payload = message.Bytes[(message.TopicLength + message.PropertiesLength)..],
                Qos = (int)message.Qos,
                Retain = message.Retain,
                MessageId = TextOf(message.Id),
            });
        }
    }

    public void Delivered(string clientId, scoped in PublishSource source, scoped in DeliveryHeader header) => hub.Tell(new MessageDelivered
    {
        Time = hub.Now,
        ClientId = clientId,
        Topic = Encoding.UTF8.GetString(source.Topic),
        Qos = (int)header.Qos,
        PacketId = header.PacketId,
        MessageId = TextOf(header.MessageId),
    });

    private static string? TextOf(MessageId id) => id == MessageId.None ? null : id.ToString();
}
