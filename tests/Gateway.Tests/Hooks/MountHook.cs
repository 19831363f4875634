using Broker.Grains.Hooks;
using Broker.Protocol;

namespace Broker.Gateway.Tests.Hooks;

/// <summary>Maps what a client subscribes to below a topic of its own; refuses <c>forbidden</c>.</summary>
internal sealed class MountHook : ISubscribeHook, IUnsubscribeHook
{
    public ValueTask<SubscribeVerdict> OnSubscribeAsync(
        HookClient client, SubscriptionRequest request, CancellationToken cancellationToken) => new(
        request.Filter == "forbidden" ? SubscribeVerdict.Refuse() : SubscribeVerdict.Continue(request with { Filter = "own/" + request.Filter }));

    public ValueTask<string> OnUnsubscribeAsync(HookClient client, string filter, CancellationToken cancellationToken) =>
        new("own/" + filter);
}
