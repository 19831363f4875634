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
public sealed class RemoteRouting(
    Peers peers, RemoteInterest interest, DropLedger drops, IMessageStore store, RoutingGate gate, RepeatableMessages repeatable)
{
    // As long as it takes to find a silo dead: one that answers later than that is cut off, not slow.
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(2);

    [ThreadStatic]
    private static Scratch? _scratch;

    private TaskCompletionSource? _settling;

    /// <summary>
    /// Whether a publish has to wait: a silo that is interested is dead and its sessions are nowhere yet, or the edge to one
    /// is full. Asked before the message is delivered to anybody, so that its order is kept, and inside the
    /// <see cref="RoutingGate"/>: whoever settles a dead silo waits for those that were told that they need not wait.
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
            else if (peer.Edge.IsFull && (qos != QualityOfService.AtMostOnce || peer.Edge.Silence < Slow))
            {
                wait = peer.Edge.WaitForRoomAsync().AsTask();
                if (qos == QualityOfService.AtMostOnce)
                {
                    // Not for longer than it takes to see that the silo is silent; whoever waits asks again.
                    wait = Task.WhenAny(wait, Task.Delay(Slow));
                }

                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// To be called before a publish is delivered here: decides whether it may have to be repeated, because other silos take
    /// part in a QoS 2 publish of a durable session, or in a delayed one.
    /// </summary>
    public void Prepare(ref PublishSource source, PublishRecord? record)
    {
        if (record is { IsRemembered: true } && !peers.IsAlone && FindTargets(source.Topic, source.Retain, out _).Count > 0)
        {
            record.Message.MayRepeat = true;
            repeatable.TryAdd(record.Message.Id);
        }
    }

    /// <summary>Hands a publish over to the edges: now, or when it is committed if it may have to be repeated.</summary>
    /// <returns>Number of silos that it goes to because of their interest.</returns>
    public int Forward(ref PublishSource source, ref PublishRecord? record)
    {
        if (peers.IsAlone)
        {
            return 0;
        }

        var targets = FindTargets(source.Topic, source.Retain, out var interested);
        if (record is { Message.MayRepeat: true })
        {
            record.ForwardOnceCommitted(this, gate.Enter());
        }
        else if (targets.Count > 0 && record is not { IsRemembered: true })
        {
            if (source.Qos != QualityOfService.AtMostOnce)
            {
                record ??= PublishRecord.For(ref source, store);
            }

            Send(source.Materialize(), targets, record);
        }

        return interested;
    }

    /// <summary>The publish and its packet id are durable: the silos that are interested now get it.</summary>
    internal void Committed(PublishRecord record, int phase, bool isCommitted)
    {
        try
        {
            if (isCommitted)
            {
                Send(record.Message, FindTargets(record.Message.Topic, record.Message.Retain, out _), record);
            }
        }
        finally
        {
            gate.Exit(phase);
        }
    }

    /// <summary>Takes a publish that has come again to the silos that are interested; each knows who has it already.</summary>
    internal void ForwardRepeat(ApplicationMessage message, PublishRecord record) =>
        Send(message, FindTargets(message.Topic, message.Retain, out _), record, isRepeat: true);

    /// <summary>
    /// Sends what was under way to a dead silo to those that have its sessions now; what nobody waits for is dropped.
    /// </summary>
    /// <param name="settling">All that are settled together with it: their sessions are elsewhere as well.</param>
    internal void Recover(
        Peer dead, IReadOnlyCollection<Peer> settling, in Outgoing item, Action<ApplicationMessage, PublishRecord> deliverHere)
    {
        var message = item.Message.Message;
        if (item.Record is not { } waiting)
        {
            if (item.Settled is null)
            {
                drops.Add(message.Publisher, message.Topic, DropReason.SiloLost, 1, message.Id);
            }

            return;
        }

        if (waiting.IsOvertaking)
        {
            waiting.Answered(ReasonCode.ImplementationSpecificError);
            return;
        }

        var scratch = _scratch ??= new Scratch();
        foreach (var peer in interest.Match(message.Topic, scratch.Matches).ToArray().Distinct())
        {
            // Also to one that has died meanwhile: it may have adopted sessions before, and what is kept for it is recovered next.
            if (!settling.Contains(peer))
            {
                waiting.Ask();
                peer.Post(new Outgoing(item.Message, waiting, dead.Address));
            }
        }

        deliverHere(message, waiting);
        waiting.Answered(ReasonCode.Success);
    }

    /// <summary>From here on publishes that match the interest of a dead silo wait.</summary>
    internal void BeginSettling() =>
        Interlocked.CompareExchange(
            ref _settling, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);

    /// <summary>Completes when this silo has no dead one left to settle; others may have.</summary>
    internal Task SettledAsync() => Volatile.Read(ref _settling)?.Task ?? Task.CompletedTask;

    /// <summary>Those that wait go on.</summary>
    internal void EndSettling() => Interlocked.Exchange(ref _settling, null)?.TrySetResult();

    /// <summary>The silos that a message goes to, each once.</summary>
    private List<Peer> FindTargets(ReadOnlySpan<byte> topic, bool retain, out int interested)
    {
        var scratch = _scratch ??= new Scratch();
        scratch.Targets.Clear();
        foreach (var peer in interest.Match(topic, scratch.Matches))
        {
            if (!scratch.Targets.Contains(peer))
            {
                scratch.Targets.Add(peer);
            }
        }

        interested = scratch.Targets.Count;
        if (retain)
        {
            // Every silo has all retained messages.
            scratch.Targets.AddRange(peers.Living.Where(p => !scratch.Targets.Contains(p)));
        }

        return scratch.Targets;
    }

    /// <param name="record">Of a message that somebody waits for: above QoS 0.</param>
    private void Send(ApplicationMessage message, List<Peer> targets, PublishRecord? record, bool isRepeat = false)
    {
        foreach (var peer in targets)
        {
            if (message.Qos == QualityOfService.AtMostOnce && IsDropped(message, peer))
            {
                continue;
            }

            var waits = message.Qos == QualityOfService.AtMostOnce ? null : record;
            waits?.Ask();
            peer.Post(new Outgoing(new RoutedMessage(message), waits) { IsRepeat = isRepeat });
        }
    }

    /// <summary>
    /// QoS 0 waits for nobody: not until the sessions of a dead silo are elsewhere, and not for one that is cut off from here. A
    /// retained message waits for the latter, because every silo that lives has to have it.
    /// </summary>
    private bool IsDropped(ApplicationMessage message, Peer peer)
    {
        if (peer.IsDead)
        {
            drops.Add(message.Publisher, message.Topic, DropReason.SiloLost, 1, message.Id);
            return true;
        }

        if (!message.Retain && peer.Edge.IsFull && peer.Edge.Silence >= Slow)
        {
            drops.Add(message.Publisher, message.Topic, DropReason.SiloSilent, 1, message.Id);
            return true;
        }

        return false;
    }

    private sealed class Scratch
    {
        public MatchBuffer<Peer> Matches { get; } = new();

        public List<Peer> Targets { get; } = [];
    }
}
