using Broker.Grains.Alarms;
using Broker.Grains.Delayed;
using Broker.Grains.Diagnostics;
using Broker.Grains.Exclusive;
using Broker.Grains.Hooks;
using Broker.Grains.Interfaces;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Grains.Recovery;
using Broker.Grains.Retained;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Shared;
using Broker.Grains.Storage;
using Broker.Grains.Topics;
using Broker.Grains.Wills;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Grains.Hosting;

/// <summary>Registers sessions, routing and what belongs to them. The host adds the store and the options.</summary>
public static class GrainsServices
{
    public static IServiceCollection AddBrokerGrains(this IServiceCollection services) => services
        .AddSingleton(s => TopicPriorities.TryParse(s.GetRequiredService<SessionOptions>().TopicPriorities, out var priorities)
            ? priorities
            : throw new FormatException("Broker:Session:TopicPriorities is not valid."))
        .AddSingleton(s => SharedStrategies.TryParse(s.GetRequiredService<SharedOptions>(), out var strategies)
            ? strategies
            : throw new FormatException("Broker:Shared:Strategies is not valid."))
        .AddSingleton<SharedMetrics>()
        .AddSingleton<SharedGroups>()
        .AddSingleton(s => new MessageIdSource(s.GetRequiredService<IMessageStore>(), s.GetRequiredService<TimeProvider>()))
        .AddSingleton<FilterIndex<Subscription>>()
        .AddSingleton<DropLedger>()
        .AddSingleton<SiloQuestions>()
        .AddSingleton<ClusterDrops>()
        .AddSingleton<AckTrail>()
        .AddSingleton<MessageTracer>()
        .AddSingleton<SessionLog>()
        .AddSingleton<SessionMetrics>()
        .AddSingleton<AlarmService>()
        .AddSingleton<ExclusiveSubscriptions>()
        .AddSingleton<LinkAlarms>()
        .AddSingleton(s => ActivatorUtilities.CreateInstance<SessionEnvironment>(s) with
        {
            Wake = session => Wake(s.GetRequiredService<IGrainFactory>(), session),
            Alarms = s.GetRequiredService<AlarmService>(),
            Exclusive = s.GetRequiredService<ExclusiveSubscriptions>(),
            Acknowledgements = s.GetRequiredService<AckTrail>() is { IsEnabled: true } trail ? trail : null,
            Events = s.GetRequiredService<EventHub>().For(
                BrokerEventKind.MessageAcked,
                BrokerEventKind.SessionCreated,
                BrokerEventKind.SessionResumed,
                BrokerEventKind.SessionTakenOver,
                BrokerEventKind.SessionExpired),
        })
        .AddSingleton<SessionTable>()
        .AddSingleton<SessionExpiryQueue>()
        .AddSingleton<SessionLifecycle>()
        .AddSingleton<AckGraceQueue>()
        .AddSingleton<RetainedMessages>()
        .AddSingleton<RetainedRepair>()
        .AddSingleton<WillService>()
        .AddSingleton<DelayedMessages>()
        .AddSingleton<DelayedPublisher>()
        .AddSingleton<MessageRouter>()
        .AddSingleton<BrokerPublisher>()
        .AddSingleton<StateRecovery>()
        .AddHookCalls()
        .AddTopics();

    // The load is this silo's business; the grain, when it has been idle for long enough, lets the session leave memory again.
    private static void Wake(IGrainFactory grains, Session session)
    {
        _ = session.WakeAsync();
        if (session.Group is null)
        {
            ThreadPool.QueueUserWorkItem(_ => grains.GetGrain<ISessionGrain>(GrainKeys.Session(session.ClientId)).Stand().Ignore());
        }
    }
}
