using Broker.Gateway.Embedding;
using Broker.Protocol;

namespace Embedded;

/// <summary>A subscriber and a publisher inside the process: what comes to <c>in/…</c> goes out at <c>out/in/…</c>.</summary>
internal sealed class Echo(MqttBroker broker, ILogger<Echo> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var subscription = new MqttSubscription { Name = "echo", Filters = ["in/#"], SessionExpiry = TimeSpan.FromDays(1) };
        await using var subscriber = await broker.SubscribeAsync(subscription, stoppingToken);
        logger.LogInformation("Subscribed; resumed: {IsResumed}", subscriber.IsResumed);
        await foreach (var message in subscriber.ReadAllAsync(stoppingToken))
        {
            await broker.PublishAsync(
                new MqttMessage { Topic = $"out/{message.Topic}", Payload = message.Payload, Qos = QualityOfService.AtLeastOnce },
                stoppingToken);
        }
    }
}
