using System.Diagnostics.Metrics;
using Broker.Grains.Hooks;
using Broker.Grains.Options;
using Broker.Grains.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using System.Runtime.CompilerServices;

namespace Broker.Grains.Tests.Hooks;

/// <summary>Events find the hooks that want them.</summary>
public sealed class HookQueueTests
{
    /// <summary>Each class of events with the kind that it says it is.</summary>
    public static TheoryData<Type, BrokerEventKind> Events
    {
        get
        {
            var events = new TheoryData<Type, BrokerEventKind>();
            foreach (var type in typeof(BrokerEvent).Assembly.GetTypes().Where(static t => t.IsSubclassOf(typeof(BrokerEvent))))
            {
                events.Add(type, ((BrokerEvent)RuntimeHelpers.GetUninitializedObject(type)).Kind);
            }

            return events;
        }
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void Hook_for_a_class_of_events_wants_their_kind_and_no_other(Type type, BrokerEventKind kind)
    {
        using var metrics = new HookMetrics();
        var calls = new HookCalls(new HookOptions(), metrics, NullLogger<HookCalls>.Instance);
        var hook = new HookRegistration(typeof(Listener<>).MakeGenericType(type), static _ => throw new InvalidOperationException("Nobody is told."));
        var queue = new HookQueue(hook, new ServiceCollection().BuildServiceProvider(), calls);

        Assert.Equal([kind], Enum.GetValues<BrokerEventKind>().Where(queue.Wants));
    }

    [Fact]
    public void Every_kind_has_a_class_of_events_and_a_name()
    {
        Assert.Equal(Enum.GetValues<BrokerEventKind>(), Events.Select(static e => (BrokerEventKind)e[1]).Order());
        Assert.Equal(Enum.GetValues<BrokerEventKind>().Length, BrokerEventKinds.All.Count);
    }

    [Fact]
    public async Task Events_wait_within_bytes_as_well_and_what_does_not_fit_is_counted()
    {
        using var metrics = new HookMetrics();
        using var counted = new UntoldCount();
        var options = new HookOptions { MaxQueuedBytes = 100_000, TimeLimit = TimeSpan.FromMinutes(1) };
        var calls = new HookCalls(options, metrics, NullLogger<HookCalls>.Instance);
        var hook = new Slow();
        var queue = new HookQueue(new HookRegistration(typeof(Slow), _ => hook), new ServiceCollection().BuildServiceProvider(), calls);

        // 40 KB each: two fit. A filter and a user's name count like a payload.
        queue.Post(new MessagePublish { Time = default, ClientId = "c", Topic = "1", Payload = new byte[40_000] });
        queue.Post(new ClientSubscribe { Time = default, ClientId = "c", Filter = new string('f', 20_000) });
        queue.Post(new ClientDisconnected { Time = default, ClientId = "c", UserName = new string('u', 20_000), Reason = "normal" });
        Assert.Equal(1, counted.Count);

        hook.Gate.SetResult();
        await StoreTestExtensions.EventuallyAsync(() => hook.Told == 2, "2 events told");
        queue.Post(new ClientDisconnected { Time = default, ClientId = "c", UserName = new string('u', 20_000), Reason = "normal" });
        await StoreTestExtensions.EventuallyAsync(() => hook.Told == 3, "3 events told");
        Assert.Equal(1, counted.Count);
    }

    /// <summary>What <see cref="Slow"/> was not told.</summary>
    private sealed class UntoldCount : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public UntoldCount()
        {
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == "broker.hooks.untold")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
            {
                if (Equals(tags[0].Value, nameof(Slow)))
                {
                    Interlocked.Add(ref _count, value);
                }
            });
            _listener.Start();
        }

        public long Count => Interlocked.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>Takes no event before its gate opens.</summary>
    private sealed class Slow : IEventHook<MessagePublish>, IEventHook<ClientSubscribe>, IEventHook<ClientDisconnected>
    {
        private int _told;

        public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Told => Volatile.Read(ref _told);

        public ValueTask OnEventAsync(MessagePublish happened, CancellationToken cancellationToken) => TakeAsync();

        public ValueTask OnEventAsync(ClientSubscribe happened, CancellationToken cancellationToken) => TakeAsync();

        public ValueTask OnEventAsync(ClientDisconnected happened, CancellationToken cancellationToken) => TakeAsync();

        private async ValueTask TakeAsync()
        {
            await Gate.Task;
            Interlocked.Increment(ref _told);
        }
    }

    private sealed class Listener<TEvent> : IEventHook<TEvent>
        where TEvent : BrokerEvent
    {
        public ValueTask OnEventAsync(TEvent happened, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
