using System.Text;
using Broker.Grains.Hooks;

namespace Embedded;

/// <summary>A hook: what clients publish below <c>in/</c> arrives in capitals.</summary>
internal sealed class Shout : IPublishHook
{
    public bool NeverBlocks => true;

    public ValueTask<PublishVerdict> OnPublishAsync(HookClient client, HookMessage message, CancellationToken cancellationToken) => new(
        PublishVerdict.Continue(message.Topic.StartsWith("in/", StringComparison.Ordinal)
            ? message with { Payload = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(message.Payload.Span).ToUpperInvariant()) }
            : message));
}
