using Broker.Grains.Interfaces.Alarms;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Interfaces.Shared;
using Orleans.Services;

namespace Broker.Grains.Interfaces.Topics;

/// <summary>The one door through which other silos reach a silo; addressed by silo.</summary>
[Alias("broker.inbox")]
public interface ISiloInbox : IGrainService
{
    /// <summary>
    /// Routes the messages to the sessions of this silo, in order. Returns when every durable delivery is committed or
    /// acknowledged by its subscriber. A batch number that was handled before is answered with what it was answered then.
    /// </summary>
    [Alias("Deliver")]
    Task<DeliveryOutcome> Deliver(EdgeBatch batch);

    /// <summary>Another silo's filters; from its return on, messages that match go there.</summary>
    [Alias("Interest")]
    Task Interest(InterestUpdate update);

    /// <summary>This silo's interest in a filter now.</summary>
    [Alias("InterestIn")]
    Task<SiloInterest> InterestIn(string filter);

    /// <summary>
    /// Returns when this silo knows that those are dead, has adopted what it will of their sessions, and has told the
    /// others of the interest of these. Fails when it does not know yet.
    /// </summary>
    [Alias("Settle")]
    Task Settle(SiloAddress[] dead);

    /// <summary>A client has connected elsewhere: its connection here is closed, its session stays for now.</summary>
    /// <returns>The dead silo that the session came from, as long as messages may be under way to there; else null.</returns>
    [Alias("Detach")]
    Task<SiloAddress?> Detach(string clientId);

    /// <summary>
    /// Returns when everything that was on its way to this silo when it was called has been answered, and everything
    /// that this silo has for the session is committed. Fails when the client is connected here again.
    /// </summary>
    [Alias("Flush")]
    Task Flush(string clientId);

    /// <summary>Returns when every message that this silo had for others when it was called has been answered.</summary>
    [Alias("Drain")]
    Task Drain();

    /// <summary>Returns when every message that this silo had for that one when it was called has been answered.</summary>
    [Alias("DrainTowards")]
    Task DrainTowards(SiloAddress silo);

    /// <summary>The session belongs to another silo now.</summary>
    [Alias("Forget")]
    Task Forget(string clientId);

    /// <summary>Groups of shared subscriptions: members, loans and their ends. A batch number is handled once.</summary>
    [Alias("Share")]
    Task<SharedAnswer> Share(SharedBatch batch);

    /// <summary>What this silo has dropped for good.</summary>
    [Alias("Drops")]
    Task<DropReport> Drops(DropQuery query);

    /// <summary>Where a message is, as far as this silo knows.</summary>
    /// <param name="messageId">32 hexadecimal digits.</param>
    [Alias("Trace")]
    Task<MessageTrace> Trace(string messageId);

    /// <summary>Has this silo trace what is asked for.</summary>
    /// <returns>Why it does not; empty when it does.</returns>
    [Alias("StartTrace")]
    Task<string> StartTrace(TraceSpec spec);

    /// <summary>Ends a trace, and deletes its file if that is asked for.</summary>
    /// <returns>Whether there was one.</returns>
    [Alias("EndTrace")]
    Task<bool> EndTrace(string name, bool remove);

    /// <summary>The traces of this silo.</summary>
    [Alias("Traces")]
    Task<TraceReport[]> Traces();

    /// <summary>A part of the file of a trace.</summary>
    [Alias("ReadTrace")]
    Task<TracePart> ReadTrace(string name, long offset);

    /// <summary>What another silo knows of alarms.</summary>
    [Alias("Alarms")]
    Task Alarms(AlarmState[] states);

    /// <summary>How many client connections this silo has.</summary>
    [Alias("Connections")]
    Task<int> Connections();

    /// <summary>Has this silo compare its connections with those of the others, and send away what it has too much.</summary>
    /// <returns>How many clients it sends away from now on.</returns>
    [Alias("Rebalance")]
    Task<int> Rebalance();
}
