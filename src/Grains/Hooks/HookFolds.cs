using Broker.Grains.Messages;
using Broker.Protocol;

namespace Broker.Grains.Hooks;

/// <summary>
/// The hooks that decide, asked in the order of their priority, each with what the one before has made of it. A field is null when no
/// hook of its kind is registered: that is all that the message path looks at.
/// </summary>
public sealed class HookFolds(HookCalls calls, MessageIdSource ids, IServiceProvider services)
{
    private readonly HookSlots<IPublishHook>? _publish = HookSlots<IPublishHook>.Of(services, calls);
    private readonly HookSlots<ISubscribeHook>? _subscribe = HookSlots<ISubscribeHook>.Of(services, calls);
    private readonly HookSlots<IUnsubscribeHook>? _unsubscribe = HookSlots<IUnsubscribeHook>.Of(services, calls);

    /// <summary>Whether publishes have to be asked about.</summary>
    public bool HasPublish => _publish is not null;

    /// <summary>Whether subscriptions have to be asked about.</summary>
    public bool HasSubscribe => _subscribe is not null;

    /// <summary>Whether ends of subscriptions have to be asked about.</summary>
    public bool HasUnsubscribe => _unsubscribe is not null;

    /// <summary>Makes the hooks, see <see cref="EventHub.Open"/>.</summary>
    public void Open()
    {
        _ = _publish?.All;
        _ = _subscribe?.All;
        _ = _unsubscribe?.All;
    }

    /// <summary>Asks about a publish.</summary>
    /// <returns>The message to route, or null and what its publisher is told: Success when it is dropped silently.</returns>
    public async ValueTask<(ApplicationMessage? Message, ReasonCode Reason)> PublishAsync(HookClient client, ApplicationMessage message)
    {
        var original = new HookMessage(message);
        var current = original;
        foreach (var slot in _publish?.All ?? [])
        {
            var verdict = await calls.CallAsync(
                slot, (client, current), static (hook, s, token) => hook.OnPublishAsync(s.client, s.current, token));
            if (verdict is { Message: { } next } && (ReferenceEquals(next.Topic, current.Topic) || next.HasValidTopic))
            {
                current = next;
            }
            else if (verdict is { Message: null } given)
            {
                return (null, given.Reason);
            }
            else
            {
                if (verdict is not null)
                {
                    calls.Failed(slot.Name, new InvalidOperationException("The topic that the hook has given is no valid topic name."));
                }

                if (slot.Hook.OnFailure == HookFailure.Closed)
                {
                    return (null, ReasonCode.ImplementationSpecificError);
                }
            }
        }

        return (ReferenceEquals(current, original) ? message : current.ToMessage(ids), ReasonCode.Success);
    }

    /// <summary>Asks about a subscription.</summary>
    public async ValueTask<SubscribeVerdict> SubscribeAsync(HookClient client, SubscriptionRequest request)
    {
        foreach (var slot in _subscribe?.All ?? [])
        {
            var verdict = await calls.CallAsync(
                slot, (client, request), static (hook, s, token) => hook.OnSubscribeAsync(s.client, s.request, token));
            if (verdict is { Request: { } next } && IsValid(slot, request.Filter, next.Filter))
            {
                request = next;
            }
            else if (verdict is { Request: null } given)
            {
                return given;
            }
            else if (slot.Hook.OnFailure == HookFailure.Closed)
            {
                return SubscribeVerdict.Refuse(ReasonCode.ImplementationSpecificError);
            }
        }

        return SubscribeVerdict.Continue(request);
    }

    /// <summary>Asks about the end of a subscription.</summary>
    /// <returns>The filter to end; null when a hook that fails closed has failed.</returns>
    public async ValueTask<string?> UnsubscribeAsync(HookClient client, string filter)
    {
        foreach (var slot in _unsubscribe?.All ?? [])
        {
            var answer = await calls.CallAsync(slot, (client, filter), static async (hook, s, token) =>
                new Filter(await hook.OnUnsubscribeAsync(s.client, s.filter, token)));
            if (answer is { } next && IsValid(slot, filter, next.Text))
            {
                filter = next.Text;
            }
            else if (slot.Hook.OnFailure == HookFailure.Closed)
            {
                return null;
            }
        }

        return filter;
    }

    private bool IsValid<THook>(HookSlot<THook> slot, string before, string given)
        where THook : class, IHook
    {
        if (ReferenceEquals(before, given) || TopicRules.IsValidFilter(System.Text.Encoding.UTF8.GetBytes(given)))
        {
            return true;
        }

        calls.Failed(slot.Name, new InvalidOperationException("The filter that the hook has given is no valid Topic Filter."));
        return false;
    }

    private readonly record struct Filter(string Text);
}
