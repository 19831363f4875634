using System.Text;
using Broker.Grains.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Shared;
using Broker.Protocol;

namespace Broker.Grains.Sessions;

/// <summary>
/// What the session loses for good goes to the loss ledger with its topic. The topic of a message whose body only the store
/// has is read there first; its row stays until then, so that a crash in between loses no count.
/// </summary>
public sealed partial class Session
{
    private static readonly byte[] UnknownTopic = "(unknown)"u8.ToArray();
    private static readonly TimeSpan NamingPatience = TimeSpan.FromSeconds(2);

    // Dropped, and their topics are not known yet; null when none are.
    private List<(Delivery Delivery, DropReason Reason)>? _unnamed;
    private Task _naming = Task.CompletedTask;
    private List<(byte[] Topic, int Count)>? _storedTopics;

    /// <summary>Completes when every drop so far is in the ledger and its row on the way out.</summary>
    internal Task NamedAsync()
    {
        lock (_gate)
        {
            return _naming;
        }
    }

    /// <summary>
    /// To be called before <see cref="End"/>: reads the topics of what only the store has, if that answers within
    /// <see cref="NamingPatience"/>. A client's CONNECT waits for it, and so does the end of sessions whose time is over.
    /// </summary>
    internal async Task NameStoredAsync()
    {
        lock (_gate)
        {
            if (_dormantCount == 0 && _queue.WithoutBody(1).Count == 0)
            {
                return;
            }
        }

        try
        {
            using var patience = new CancellationTokenSource(NamingPatience);
            var topics = await _env.Store.CountTopicsAsync(Number, patience.Token);
            lock (_gate)
            {
                _storedTopics = topics;
            }
        }
        catch (Exception error)
        {
            // The session ends all the same; its messages are counted without their topics.
            _env.Log.TopicsNotRead(ClientId, error);
        }
    }

    private void Drop(Delivery delivery, DropReason reason)
    {
        _queue.Remove(delivery);
        NoteWatermark();
        Lose(delivery, reason);
    }

    /// <summary>A delivery that is in no list any more is lost.</summary>
    private void Lose(Delivery delivery, DropReason reason)
    {
        if (delivery.Message is { } message)
        {
            _env.Drops.Add(ClientId, message.Topic, reason, 1, message.Id);
            Forget(delivery);
            return;
        }

        Release(delivery);
        EndLoan(delivery, LoanOutcome.Acknowledged);
        if (_unnamed is not null)
        {
            _unnamed.Add((delivery, reason));
            return;
        }

        _unnamed = [(delivery, reason)];
        _naming = NameAsync();
    }

    private async Task NameAsync()
    {
        while (true)
        {
            List<(Delivery Delivery, DropReason Reason)> taken;
            lock (_gate)
            {
                if (_unnamed is null or { Count: 0 })
                {
                    _unnamed = null;
                    return;
                }

                taken = _unnamed;
                _unnamed = [];
            }

            var topics = await ReadTopicsAsync(taken.ConvertAll(static d => d.Delivery.MessageNumber));
            lock (_gate)
            {
                foreach (var (delivery, reason) in taken)
                {
                    var (id, topic) = topics.GetValueOrDefault(delivery.MessageNumber, (MessageId.None, UnknownTopic));
                    _env.Drops.Add(ClientId, topic, reason, 1, id);
                    DeleteRow(delivery);
                }
            }
        }
    }

    private async Task<Dictionary<long, (MessageId Id, byte[] Topic)>> ReadTopicsAsync(List<long> numbers)
    {
        try
        {
            return await _env.Store.LoadTopicsAsync(numbers, CancellationToken.None);
        }
        catch (Exception error)
        {
            _env.Log.TopicsNotRead(ClientId, error);
            return [];
        }
    }

    /// <summary>Everything that the session still has is lost with it, but for what another silo has now.</summary>
    private void LoseAll()
    {
        var unknown = IsDeparting ? 0 : _dormantCount;
        var stored = (_storedTopics ?? []).ToDictionary(static t => Encoding.UTF8.GetString(t.Topic), static t => t.Count);
        var held = _queue.All().ToList();

        // What a group has lent is still with members, who complete it [MQTT-3.10.4-3].
        for (var item = Group is null ? _inflight.First : null; item is not null; item = item.Next)
        {
            held.Add(item);
        }

        foreach (var delivery in held)
        {
            // Of QoS 2, what PUBREC has come for is the client's.
            if (delivery.Released || (IsDeparting && delivery.Qos != QualityOfService.AtMostOnce))
            {
                continue;
            }

            if (delivery.Message is not { } message)
            {
                unknown++;
                continue;
            }

            _env.Drops.Add(ClientId, message.Topic, DropReason.SessionEnded, 1, message.Id);
            if (stored.Count > 0 && delivery.RowState == RowState.Committed)
            {
                var topic = Encoding.UTF8.GetString(message.Topic);
                stored[topic] = stored.GetValueOrDefault(topic) - 1;
            }
        }

        foreach (var (topic, count) in stored)
        {
            if (Math.Min(count, unknown) is > 0 and var lost)
            {
                unknown -= lost;
                _env.Drops.Add(ClientId, Encoding.UTF8.GetBytes(topic), DropReason.SessionEnded, lost);
            }
        }

        if (unknown > 0)
        {
            _env.Drops.Add(ClientId, UnknownTopic, DropReason.SessionEnded, unknown);
        }
    }
}
