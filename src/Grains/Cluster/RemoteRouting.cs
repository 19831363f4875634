using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Routing;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Topics;
using Broker.Protocol;

namespace Broker.Grains.Cluster;

/// <summary>
/// Takes publishes to the silos that are interested: once to each, whatever number of filters and sessions match there.
/// One edge leads to each silo, so the messages of a publisher stay in order.
/// </summary>
public sealed class RemoteRouting(Peers peers, RemoteInterest interest, DropLedger drops, IMessageStore store)
{
    [ThreadStatic]
    private static Scratch? _scratch;

    private TaskCompletionSource? _settling;

    /// <summary>
    /// Whether a publish has to wait: a silo that is interested is dead and its sessions are nowhere yet, or the edge to one
    /// is full. Asked before the message is delivered to anybody, so that its order is kept.
    /// </summary>
    public bool MustWait(ReadOnlySpan<byte> topic, QualityOfService qos, out Task wait)
    {
        wait = Task.CompletedTask;
        if (peers.IsAlone)
        {
            return false;
        }

        var settling = Volatile.Read(ref _settling);
        foreach (var peer in interest.Match(topic, (_scratch ??= new Scratch()).Matches))
        {
            if (peer.IsDead)
            {
                if (settling is not null && qos != QualityOfService.AtMostOnce)
                {
                    wait = settling.Task;
                    return true;
                }
            }
            else if (peer.Edge.IsFull)
            {
                wait = peer.Edge.WaitForRoomAsync().AsTask();
                return true;
            }
        }

        return false;
    }

    /// <summary>Hands a publish over to the edges.</summary>
    /// <returns>Number of silos that it goes to because of their interest.</returns>
    public int Forward(ref PublishSource source, ref PublishRecord? record)
    {
        if (peers.IsAlone)
        {
            return 0;
        }

        var scratch = _scratch ??= new Scratch();
        var matches = interest.Match(source.Topic, scratch.Matches);
        if (matches.IsEmpty && !source.Retain)
        {
            return 0;
        }

        scratch.Targets.Clear();
        foreach (var peer in matches)
        {
            if (!scratch.Targets.Contains(peer))
            {
                scratch.Targets.Add(peer);
            }
        }

        var interested = scratch.Targets.Count;
        if (source.Retain)
        {
            // Every silo has all retained messages.
            scratch.Targets.AddRange(peers.Living.Where(p => !scratch.Targets.Contains(p)));
        }

        if (scratch.Targets.Count > 0)
        {
            Send(source.Materialize(), scratch.Targets, ref record);
        }

        return interested;
    }

    /// <summary>
    /// Sends what was under way to a dead silo to those that have its sessions now; what nobody waits for is dropped.
    /// </summary>
    internal void Recover(Peer dead, in Outgoing item, Action<ApplicationMessage, PublishRecord> deliverHere)
    {
        var message = item.Message.Message;
        if (item.Record is not { } waiting)
        {
            if (item.Settled is null)
            {
                drops.Add(message.Publisher, message.Topic, DropReason.SiloLost);
            }

            return;
        }

        var scratch = _scratch ??= new Scratch();
        foreach (var peer in interest.Match(message.Topic, scratch.Matches).ToArray().Distinct())
        {
            if (!peer.IsDead)
            {
                waiting.Ask();
                Post(peer, new Outgoing(item.Message, waiting, dead.Address));
            }
        }

        deliverHere(message, waiting);
        waiting.Answered(ReasonCode.Success);
    }

    /// <summary>From here on publishes that match the interest of a dead silo wait.</summary>
    internal void BeginSettling() =>
        Interlocked.CompareExchange(
            ref _settling, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);

    /// <summary>Those that wait go on.</summary>
    internal void EndSettling() => Interlocked.Exchange(ref _settling, null)?.TrySetResult();

    private void Send(ApplicationMessage message, List<Peer> targets, ref PublishRecord? record)
    {
        if (message.Qos != QualityOfService.AtMostOnce)
        {
            record ??= new PublishRecord(message, store.NextMessageNumber(), store);
        }

        foreach (var peer in targets)
        {
            var waits = message.Qos == QualityOfService.AtMostOnce ? null : record;
            waits?.Ask();
            Post(peer, new Outgoing(new RoutedMessage(message, message.Id), waits));
        }
    }

    private static void Post(Peer peer, in Outgoing item)
    {
        if (!peer.Post(item))
        {
            // Settled between the match and now: who publishes is asked to do so again, and then matches what is true.
            item.Record?.Answered(ReasonCode.ImplementationSpecificError);
        }
    }

    private sealed class Scratch
    {
        public MatchBuffer<Peer> Matches { get; } = new();

        public List<Peer> Targets { get; } = [];
    }
}
