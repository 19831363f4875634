using Broker.Gateway.Options;
using Broker.Grains.Hooks;
using Broker.Protocol;

namespace Broker.Gateway.Topics;

/// <summary>Rewrites topics by the configured rules: the first one that matches, of those that are for it. Asked after all other hooks.</summary>
internal sealed class RewriteHook(TopicOptions options) : IPublishHook, ISubscribeHook, IUnsubscribeHook
{
    private readonly IReadOnlyList<RewriteRule> _rules = RewriteRule.TryParse(options.Rewrite, out var rules)
        ? rules
        : throw new FormatException("Broker:Topics:Rewrite is not valid.");

    /// <inheritdoc />
    public int Priority => int.MinValue;

    /// <inheritdoc />
    public bool NeverBlocks => true;

    /// <inheritdoc />
    public ValueTask<PublishVerdict> OnPublishAsync(HookClient client, HookMessage message, CancellationToken cancellationToken) => new(
        PublishVerdict.Continue(Rewrite(message.Topic, static rule => rule.IsForPublish) is { } topic ? message with { Topic = topic } : message));

    /// <inheritdoc />
    public ValueTask<SubscribeVerdict> OnSubscribeAsync(HookClient client, SubscriptionRequest request, CancellationToken cancellationToken) => new(
        SubscribeVerdict.Continue(request with { Filter = RewriteFilter(request.Filter) }));

    /// <inheritdoc />
    public ValueTask<string> OnUnsubscribeAsync(HookClient client, string filter, CancellationToken cancellationToken) => new(RewriteFilter(filter));

    /// <summary>Of a shared or exclusive subscription the filter behind the prefix is rewritten.</summary>
    private string RewriteFilter(string filter)
    {
        if (!SharedFilter.TryParse(filter, out var inner) && !ExclusiveFilter.TryParse(filter, out inner))
        {
            return Rewrite(filter, static rule => rule.IsForSubscribe) ?? filter;
        }

        return Rewrite(inner, static rule => rule.IsForSubscribe) is { } rewritten ? filter[..^inner.Length] + rewritten : filter;
    }

    private string? Rewrite(string topic, Func<RewriteRule, bool> isFor)
    {
        foreach (var rule in _rules)
        {
            if (isFor(rule) && rule.Apply(topic) is { } rewritten)
            {
                return rewritten;
            }
        }

        return null;
    }
}
