using System.Text;
using Broker.Grains.Interfaces.Alarms;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Interfaces.Shared;
using Broker.Grains.Interfaces.Topics;
using Broker.Grains.Topics;

namespace Broker.Grains.Tests.Cluster;

/// <summary>Another silo, that notes what it is told, in order.</summary>
internal sealed class RecordingInbox : ISiloInbox
{
    private readonly List<string> _received = [];

    public IReadOnlyList<string> Received
    {
        get
        {
            lock (_received)
            {
                return [.. _received];
            }
        }
    }

    /// <summary>What it answers to a call with these messages and notes.</summary>
    public Func<string[], Task<DeliveryOutcome>> Answer { get; init; } = static _ => Task.FromResult(DeliveryOutcome.Success);

    public Task<DeliveryOutcome> Deliver(EdgeBatch batch)
    {
        string[] call = [.. batch.Batches.SelectMany(static part => MessageBatchCodec.Decode(part)
            .Select(static m => Encoding.UTF8.GetString(m.Message.Payload))
            .Concat(part.Settled.Select(static silo => $"settled {silo}")))];
        lock (_received)
        {
            _received.AddRange(call);
        }

        return Answer(call);
    }

    public Task Interest(InterestUpdate update) => Task.CompletedTask;

    public Task<SiloInterest> InterestIn(string filter) => throw new NotSupportedException();

    public Task Settle(SiloAddress[] dead) => throw new NotSupportedException();

    public Task<SiloAddress?> Detach(string clientId) => throw new NotSupportedException();

    public Task Flush(string clientId) => Task.CompletedTask;

    public Task Drain() => Task.CompletedTask;

    public Task DrainTowards(SiloAddress silo) => throw new NotSupportedException();

    public Task Forget(string clientId) => throw new NotSupportedException();

    public Task<DropReport> Drops(DropQuery query) => throw new NotSupportedException();

    public Task Alarms(AlarmState[] alarms) => throw new NotSupportedException();

    public Task<MessageTrace> Trace(string id) => throw new NotSupportedException();

    public Task<string> StartTrace(TraceSpec spec) => throw new NotSupportedException();

    public Task<bool> EndTrace(string name, bool remove) => throw new NotSupportedException();

    public Task<TraceReport[]> Traces() => throw new NotSupportedException();

    public Task<TracePart> ReadTrace(string name, long offset) => throw new NotSupportedException();

    public Task<SharedAnswer> Share(SharedBatch batch) => throw new NotSupportedException();

    public Task<int> Connections() => throw new NotSupportedException();

    public Task<int> Rebalance() => throw new NotSupportedException();
}
