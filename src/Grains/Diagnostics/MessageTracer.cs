using Broker.Grains.Interfaces.Diagnostics;
using Broker.Grains.Messages;
using Broker.Grains.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Topics;

namespace Broker.Grains.Diagnostics;

/// <summary>
/// Answers where a QoS 1 or 2 message is: looks through the sessions, the latest acknowledgements and drops of every silo, and the store. Nothing
/// is kept for it but the acknowledgements; the store is searched without an index, so the question is one for a person.
/// </summary>
public sealed class MessageTracer(
    SessionTable sessions, AckTrail acknowledgements, DropLedger drops, IMessageStore store, SiloQuestions silos)
{
    /// <summary>Asks everybody.</summary>
    /// <returns>Places, one for each client and state, and the silos that did not answer.</returns>
    public async Task<(IReadOnlyList<MessagePlace> Places, IReadOnlyList<SiloAddress> Missing)> FindAsync(
        MessageId id, CancellationToken cancellationToken)
    {
        var answers = await silos.AskAllAsync(() => FindHere(id), inbox => inbox.Trace(id.ToString()));
        List<MessagePlace> places = [.. answers.SelectMany(static a => a.Answer?.Places ?? [])];
        var named = places.Select(static p => p.ClientId).ToHashSet(StringComparer.Ordinal);
        foreach (var (clientId, isReleased, sequence) in await store.FindDeliveriesAsync(id, cancellationToken))
        {
            // What a silo has in memory is newer than its row.
            if (named.Add(clientId))
            {
                places.Add(new MessagePlace
                {
                    ClientId = clientId,
                    State = isReleased ? "received" : "stored",
                    PacketId = isReleased ? Delivery.PacketIdOf(sequence) : 0,
                });
            }
        }

        if ((await store.LoadDelayedAsync([id], cancellationToken)).GetValueOrDefault(id) is { } delayed)
        {
            places.Add(new MessagePlace { ClientId = delayed.Message.Publisher, State = "delayed", Time = delayed.Due });
        }

        return (places, [.. answers.Where(static a => a.Answer is null).Select(static a => a.Silo)]);
    }

    /// <summary>What this silo knows.</summary>
    public MessageTrace FindHere(MessageId id) => new()
    {
        Places =
        [
            .. sessions.All.Select(session => session.Find(id)).OfType<MessagePlace>(),
            .. acknowledgements.Find(id).Select(static a => new MessagePlace
            {
                ClientId = a.ClientId, State = "acknowledged", PacketId = a.PacketId, Time = a.Time,
            }),
            .. drops.Latest().Where(drop => drop.Message == id).Select(static drop => new MessagePlace
            {
                ClientId = drop.ClientId, State = "dropped", Time = drop.Time, Reason = drop.Reason.ToString(),
            }),
        ],
    };
}
