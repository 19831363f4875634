using Broker.Grains.Alarms;
using Broker.Grains.Cluster;
using Broker.Grains.Diagnostics;
using Broker.Grains.Exclusive;
using Broker.Grains.Hooks;
using Broker.Grains.Options;
using Broker.Grains.Routing;
using Broker.Grains.Shared;
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
    SessionMetrics Metrics,
    LocalInterest Interest,
    SharedGroups Shared)
{
    /// <summary>Loads a dormant session whose queue needs a decision. Called with its lock held.</summary>
    public Action<Session> Wake { get; init; } = static session => _ = session.WakeAsync();

    /// <summary>Told when the store refuses a write because the session has another owner.</summary>
    public Action<Session> Fenced { get; set; } = static _ => { };

    /// <summary>
    /// Keeps the row of an acknowledged delivery of a message that may be repeated, and gives it back with
    /// <see cref="Session.EndHoldBack"/>; null where messages come from this silo only.
    /// </summary>
    public Action<Delivery>? HoldBack { get; set; }

    /// <summary>Told what happens to sessions and their messages; null when nobody wants to know.</summary>
    public EventHub? Events { get; init; }

    /// <summary>Who holds which exclusive subscription; null: there are none.</summary>
    public ExclusiveSubscriptions? Exclusive { get; init; }

    /// <summary>Remembers who has acknowledged what; null: nobody does.</summary>
    public AckTrail? Acknowledgements { get; init; }

    /// <summary>Told when a queue is too long; null: nobody is.</summary>
    public AlarmService? Alarms { get; init; }

    /// <summary>Milliseconds since 1970: for everything that is compared with stored times.</summary>
    public long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();
}
