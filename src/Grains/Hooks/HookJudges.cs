using Broker.Protocol;

namespace Broker.Grains.Hooks;

/// <summary>The hooks that are asked whether a client may do something; the first that allows or denies decides.</summary>
public sealed class HookJudges(HookCalls calls, IServiceProvider services)
{
    private readonly HookSlots<IAuthenticateHook>? _authenticate = HookSlots<IAuthenticateHook>.Of(services, calls);
    private readonly HookSlots<IAuthorizeHook>? _authorize = HookSlots<IAuthorizeHook>.Of(services, calls);

    /// <summary>Whether any hook is asked who a client is.</summary>
    public bool HasAuthenticate => _authenticate is not null;

    /// <summary>Whether any hook is asked what a client may do.</summary>
    public bool HasAuthorize => _authorize is not null;

    /// <summary>Makes the hooks, see <see cref="EventHub.Open"/>.</summary>
    public void Open()
    {
        _ = _authenticate?.All;
        _ = _authorize?.All;
    }

    /// <summary>Whether a client is who it says; <see cref="HookDecision.Next"/> when no hook knows.</summary>
    public ValueTask<HookDecision> AuthenticateAsync(HookClient client, ReadOnlyMemory<byte>? password, ProtocolVersion version) => AskAsync(
        _authenticate,
        (client, password, version),
        static (hook, s, token) => hook.OnAuthenticateAsync(s.client, s.password, s.version, token));

    /// <summary>Whether a client may; <see cref="HookDecision.Next"/> when no hook knows.</summary>
    public ValueTask<HookDecision> AuthorizeAsync(HookClient client, bool isPublish, string topic) => AskAsync(
        _authorize,
        (client, isPublish, topic),
        static (hook, s, token) => hook.OnAuthorizeAsync(s.client, s.isPublish, s.topic, token));

    private async ValueTask<HookDecision> AskAsync<THook, TState>(
        HookSlots<THook>? hooks, TState state, Func<THook, TState, CancellationToken, ValueTask<HookDecision>> ask)
        where THook : class, IHook
    {
        foreach (var slot in hooks?.All ?? [])
        {
            var decision = await calls.CallAsync(slot, state, ask)
                ?? (slot.Hook.OnFailure == HookFailure.Closed ? HookDecision.Deny : HookDecision.Next);
            if (decision != HookDecision.Next)
            {
                return decision;
            }
        }

        return HookDecision.Next;
    }
}
