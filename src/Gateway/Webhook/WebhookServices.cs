using Broker.Gateway.Options;
using Broker.Grains.Hooks;

namespace Broker.Gateway.Webhook;

/// <summary>Registers the webhook, when there is an address for it.</summary>
internal static class WebhookServices
{
    public static IServiceCollection AddWebhook(this IServiceCollection services, WebhookOptions options) => options.Url.Length == 0
        ? services
        : services
            .AddSingleton<WebhookSender>()
            .AddSingleton<IEventSink>(static s => s.GetRequiredService<WebhookSender>())
            .AddHostedService(static s => s.GetRequiredService<WebhookSender>());
}
