using System.Net;
using Broker.Gateway.Admin;
using Broker.Gateway.Connections;
using Broker.Gateway.Listeners;
using Broker.Grains.Routing;
using Broker.Protocol;

namespace Broker.Gateway.Embedding;

/// <summary>
/// The broker inside an application, from when its host has started it until it has stopped. What the application publishes and
/// subscribes to itself needs no connection and no rights; hooks are not asked about it, and it counts as no client.
/// </summary>
public sealed class MqttBroker
{
    private volatile IServiceProvider? _services;

    internal MqttBroker()
    {
    }

    /// <summary>Whether clients can be served: started, not stopping, with a store that takes commits.</summary>
    public bool IsReady => _services is { } services
        && services.GetServices<IReadinessCheck>().All(static check => check.Obstacle is null);

    /// <summary>Where MQTT clients connect, with the ports that were found where any free one was asked for.</summary>
    /// <exception cref="InvalidOperationException">The broker does not run.</exception>
    public IReadOnlyList<IPEndPoint> MqttEndPoints => Get<OpenListeners>().MqttEndPoints;

    /// <summary>Where health, metrics, dashboard and the HTTP interface are.</summary>
    /// <exception cref="InvalidOperationException">The broker does not run.</exception>
    public IPEndPoint? HttpEndPoint => Get<OpenListeners>().HttpEndPoint;

    /// <summary>
    /// Grains of the broker's silo, among them those of the application. An application may have Orleans itself: its factory knows other
    /// grains.
    /// </summary>
    /// <exception cref="InvalidOperationException">The broker does not run.</exception>
    public IGrainFactory Grains => Get<IGrainFactory>();

    /// <summary>
    /// Publishes a message. Completes as PUBACK does: at QoS 1 and 2 when it is stored for every matching durable session or acknowledged
    /// by it; at QoS 0 when it has been routed; a topic <c>$delayed/SECONDS/TOPIC</c>, when it is stored until it is due. Waits while the store has more to commit than <c>Broker:Store:MaxPendingBytes</c>.
    /// </summary>
    /// <returns>Whether any session matched; true when that is not known yet.</returns>
    /// <exception cref="ArgumentException">Topic, properties or size are not allowed.</exception>
    /// <exception cref="MqttReasonException">It was refused, and may have reached some subscribers; publish it again.</exception>
    /// <exception cref="InvalidOperationException">The broker does not run.</exception>
    public async Task<bool> PublishAsync(MqttMessage message, CancellationToken cancellationToken = default)
    {
        var publisher = Get<BrokerPublisher>();
        var time = Get<TimeProvider>();
        var draft = new MessageDraft(message.Topic, message.Properties, message.Payload, (int)message.Qos, message.Retain, SubscriberName.Publisher)
        {
            ExpiresAt = message.Expiry is { } expiry ? (time.GetUtcNow() + expiry).ToUnixTimeMilliseconds() : long.MaxValue,
        };
        if (!draft.TryFinish(publisher, Get<PublishRules>(), time, out var finished, out var error))
        {
            throw new ArgumentException(error, nameof(message));
        }

        var reason = await publisher.PublishAsync(finished, cancellationToken);
        return reason >= ReasonCode.UnspecifiedError
            ? throw new MqttReasonException(reason, "The message was refused")
            : reason != ReasonCode.NoMatchingSubscribers;
    }

    /// <summary>Starts a subscriber; messages reach it from the moment this completes.</summary>
    /// <exception cref="ArgumentException">A filter or another value is not allowed.</exception>
    /// <exception cref="MqttReasonException">Another subscriber of the same name was faster.</exception>
    /// <exception cref="InvalidOperationException">The broker does not run.</exception>
    public Task<MqttSubscriber> SubscribeAsync(MqttSubscription subscription, CancellationToken cancellationToken = default) =>
        Get<Subscribers>().SubscribeAsync(subscription, cancellationToken);

    internal void Open(IServiceProvider services) => _services = services;

    internal void Close() => _services = null;

    private T Get<T>()
        where T : notnull =>
        _services is { } services ? services.GetRequiredService<T>() : throw new InvalidOperationException("The broker does not run.");
}
