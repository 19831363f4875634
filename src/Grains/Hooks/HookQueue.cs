using System.Threading.Channels;

namespace Broker.Grains.Hooks;

/// <summary>The events of one hook: queued by those who cause them, within a number and bytes, told one at a time.</summary>
internal sealed class HookQueue : IEventSink
{
    private readonly Lazy<IHook> _hook;
    private readonly HookCalls _calls;
    private readonly Type _type;
    private readonly string _name;
    private readonly Func<BrokerEvent, CancellationToken, ValueTask>?[] _tell;
    private readonly Channel<BrokerEvent> _queue;
    private long _bytes;
    private int _isRunning;

    public HookQueue(HookRegistration registered, IServiceProvider services, HookCalls calls)
    {
        _hook = new Lazy<IHook>(() => registered.Get(services));
        _calls = calls;
        _type = registered.Type;
        _name = registered.Type.Name;
        _tell =
        [
            Teller<ClientConnected>(), Teller<ClientDisconnected>(), Teller<ClientSubscribe>(), Teller<ClientUnsubscribe>(),
            Teller<MessagePublish>(), Teller<MessageDelivered>(), Teller<MessageAcked>(), Teller<MessageDropped>(),
            Teller<SessionCreated>(), Teller<SessionResumed>(), Teller<SessionTakenOver>(), Teller<SessionExpired>(),
        ];
        _queue = Channel.CreateBounded<BrokerEvent>(new BoundedChannelOptions(calls.MaxQueuedEvents) { SingleReader = true });
    }

    /// <summary>Whether the hook is one for events at all.</summary>
    public bool WantsAny => Array.Exists(_tell, static tell => tell is not null);

    /// <inheritdoc />
    public int Priority => _hook.Value.Priority;

    /// <inheritdoc />
    public bool Wants(BrokerEventKind kind) => _tell[(int)kind] is not null;

    /// <inheritdoc />
    public void Post(BrokerEvent happened)
    {
        var size = BrokerEventSize.Of(happened);
        if (Interlocked.Add(ref _bytes, size) > _calls.MaxQueuedBytes || !_queue.Writer.TryWrite(happened))
        {
            Interlocked.Add(ref _bytes, -size);
            _calls.Untold(_name);
            return;
        }

        if (Interlocked.Exchange(ref _isRunning, 1) == 0)
        {
            _ = Task.Run(RunAsync);
        }
    }

    private async Task RunAsync()
    {
        do
        {
            while (_queue.Reader.TryRead(out var next))
            {
                await _calls.TellAsync(_name, next, _tell[(int)next.Kind]!);
                Interlocked.Add(ref _bytes, -BrokerEventSize.Of(next));
            }

            Volatile.Write(ref _isRunning, 0);

            // One that was posted before the flag fell has started nobody.
        }
        while (_queue.Reader.TryPeek(out _) && Interlocked.Exchange(ref _isRunning, 1) == 0);
    }

    private Func<BrokerEvent, CancellationToken, ValueTask>? Teller<TEvent>()
        where TEvent : BrokerEvent =>
        _type.IsAssignableTo(typeof(IEventHook<TEvent>))
            ? (happened, token) => ((IEventHook<TEvent>)_hook.Value).OnEventAsync((TEvent)happened, token)
            : null;
}
