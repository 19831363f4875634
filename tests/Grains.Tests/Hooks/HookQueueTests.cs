using Broker.Grains.Hooks;
using Broker.Grains.Options;
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

    private sealed class Listener<TEvent> : IEventHook<TEvent>
        where TEvent : BrokerEvent
    {
        public ValueTask OnEventAsync(TEvent happened, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
