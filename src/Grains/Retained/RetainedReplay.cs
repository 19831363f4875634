using Broker.Grains.Messages;
using Broker.Grains.Sessions;

namespace Broker.Grains.Retained;

/// <summary>
/// Retained messages on their way to a new subscription, taken one by one as the client's window allows: 8 bytes for each
/// match, whatever the messages weigh. What was published after the subscription began reaches it live and is left out.
/// </summary>
/// <param name="entries">All matching places, by ascending number.</param>
/// <param name="asOf">Version of the retained messages when the subscription became active, or when a replay is resumed.</param>
/// <param name="after">Of a replay that is resumed: its <see cref="StoredNumber"/>.</param>
/// <param name="upTo">
/// Of a replay that is resumed: <see cref="UpTo"/> when it began. Null when it begins, and where that was not recorded.
/// </param>
public sealed class RetainedReplay(Subscription subscription, RetainedEntry[] entries, long asOf, long after = 0, MessageId? upTo = null)
{
    private int _position;

    public Subscription Subscription { get; } = subscription;

    /// <summary>Whether its subscription is committed: nothing is taken before. Guarded by the session's lock.</summary>
    internal bool HasBegun { get; set; }

    /// <summary>
    /// Highest id among the messages that it began with. It outlives a restart, which versions do not: what is newer has reached the
    /// subscription live. A message of another silo whose clock is behind may be older by its id, and come twice.
    /// </summary>
    public MessageId UpTo { get; } = upTo ?? Newest(entries);

    /// <summary>Number of the last place taken.</summary>
    public long LastNumber { get; private set; } = after;

    /// <summary>
    /// Number of the last place that stands in the queue's rows: where the replay goes on after a restart. What was taken since is on its way to
    /// the store's writer, whose thread alone looks at this.
    /// </summary>
    internal long StoredNumber { get; set; } = after;

    /// <summary>Takes the next message that is still there; null at the end.</summary>
    /// <param name="now">Milliseconds since 1970; expired messages are left out, and with No Local the client's own.</param>
    public ApplicationMessage? Take(long now)
    {
        while (_position < entries.Length)
        {
            var entry = entries[_position++];
            LastNumber = entry.Number;
            var message = entry.AsOf(asOf);
            if (message is not null && message.Id <= UpTo && !message.IsExpired(now) && !Subscription.IsOwn(null, message.Publisher))
            {
                return message;
            }
        }

        return null;
    }

    private static MessageId Newest(RetainedEntry[] entries)
    {
        var newest = MessageId.None;
        foreach (var entry in entries)
        {
            newest = entry.Message is { } message && message.Id > newest ? message.Id : newest;
        }

        return newest;
    }
}
