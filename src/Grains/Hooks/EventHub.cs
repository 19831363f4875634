using Microsoft.Extensions.DependencyInjection;

namespace Broker.Grains.Hooks;

/// <summary>
/// Hands events to whoever wants them. Those who cause one ask <see cref="Has"/> first, and make nothing when the answer is no: with
/// nothing registered the message path pays for a field.
/// </summary>
public sealed class EventHub
{
    private readonly bool[] _has;
    private readonly Lazy<IEventSink[][]> _sinks;
    private readonly TimeProvider _time;

    /// <param name="services">Gives the hooks: when <see cref="Open"/> is called, or with the first event where nobody has.</param>
    public EventHub(IServiceProvider services, IEnumerable<IEventSink> sinks, HookCalls calls, TimeProvider time)
    {
        _time = time;
        IEventSink[] all =
        [
            .. sinks,
            .. services.GetServices<HookRegistration>()
                .Select(registered => new HookQueue(registered, services, calls))
                .Where(static queue => queue.WantsAny),
        ];
        _has = [.. Enum.GetValues<BrokerEventKind>().Select(kind => Array.Exists(all, sink => sink.Wants(kind)))];
        _sinks = new Lazy<IEventSink[][]>(() =>
        [
            .. Enum.GetValues<BrokerEventKind>().Select(kind =>
                all.Where(sink => sink.Wants(kind)).OrderByDescending(static sink => sink.Priority).ToArray()),
        ]);
    }

    /// <summary>Makes the hooks: what their constructors do is done before the first client comes, under no lock of a session.</summary>
    public void Open() => _ = _sinks.Value;

    /// <summary>Now, for events.</summary>
    public DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>Whether anybody wants events of a kind. Does not change.</summary>
    public bool Has(BrokerEventKind kind) => _has[(int)kind];

    /// <summary>Itself, when anybody wants any of these; else null, for those who keep a field.</summary>
    public EventHub? For(params ReadOnlySpan<BrokerEventKind> kinds)
    {
        foreach (var kind in kinds)
        {
            if (Has(kind))
            {
                return this;
            }
        }

        return null;
    }

    /// <summary>Hands an event to everybody who wants it.</summary>
    public void Tell(BrokerEvent happened)
    {
        foreach (var sink in _sinks.Value[(int)happened.Kind])
        {
            sink.Post(happened);
        }
    }
}
