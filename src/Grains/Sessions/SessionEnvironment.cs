using Broker.Grains.Diagnostics;
using Broker.Grains.Options;
using Broker.Grains.Routing;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>What every session of a silo shares.</summary>
public sealed record SessionEnvironment(
    SessionOptions Options,
    StoreOptions StoreOptions,
    IMessageStore Store,
    FilterIndex<Subscription> Index,
    DropLedger Drops,
    TopicPriorities Priorities,
    TimeProvider Time,
    SessionLog Log,
    SessionMetrics Metrics)
{
    /// <summary>Asks the grain of a dormant session to load it.</summary>
    public Action<Session> Wake { get; set; } = static session => _ = session.WakeAsync();

    /// <summary>Milliseconds since 1970: for everything that is compared with stored times.</summary>
    public long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();
}
