using Microsoft.Extensions.DependencyInjection;

namespace Broker.Grains.Hooks;

/// <summary>
/// The hooks of one kind, in the order in which they are asked. They are made when <see cref="All"/> is first read: by the start of the
/// broker, before any client.
/// </summary>
internal sealed class HookSlots<THook>
    where THook : class, IHook
{
    private readonly Lazy<HookSlot<THook>[]> _slots;

    private HookSlots(IServiceProvider services, HookRegistration[] registered, int maxConcurrentCalls) =>
        _slots = new Lazy<HookSlot<THook>[]>(() =>
        [
            .. registered
                .Select(r => (THook)r.Get(services))
                .OrderByDescending(static hook => hook.Priority)
                .Select(hook => new HookSlot<THook>(hook, maxConcurrentCalls)),
        ]);

    /// <summary>In the order of their priority.</summary>
    public HookSlot<THook>[] All => _slots.Value;

    /// <summary>Null when no hook of the kind is registered.</summary>
    public static HookSlots<THook>? Of(IServiceProvider services, HookCalls calls)
    {
        HookRegistration[] registered = [.. services.GetServices<HookRegistration>().Where(static r => r.Is<THook>())];
        return registered.Length == 0 ? null : new HookSlots<THook>(services, registered, calls.MaxConcurrentCalls);
    }
}
