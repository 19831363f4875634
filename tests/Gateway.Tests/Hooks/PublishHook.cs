using Broker.Grains.Hooks;

namespace Broker.Gateway.Tests.Hooks;

/// <summary>Does with each publish what the test says, and counts.</summary>
internal sealed class PublishHook(Func<HookMessage, PublishVerdict> decide) : IPublishHook
{
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    public int Priority { get; init; }

    public HookFailure OnFailure { get; init; }

    public bool NeverBlocks { get; init; }

    public ValueTask<PublishVerdict> OnPublishAsync(HookClient client, HookMessage message, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        return new ValueTask<PublishVerdict>(decide(message));
    }
}
