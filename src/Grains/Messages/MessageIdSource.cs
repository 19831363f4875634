using Broker.Grains.Storage;

namespace Broker.Grains.Messages;

/// <summary>
/// Hands out the <see cref="MessageId"/>s of one silo. Ids never go backwards, even when the clock does: a clock that
/// steps back is ignored until it has caught up.
/// </summary>
/// <param name="store">Gives the number of this silo, which no other has.</param>
public sealed class MessageIdSource(IMessageStore store, TimeProvider time)
{
    private long _lastMicroseconds;
    private int _sequence;

    /// <summary>The next id for a message of <paramref name="publisher"/>, a number of the connection within the silo.</summary>
    public MessageId Next(uint publisher)
    {
        var now = (time.GetUtcNow().Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        long last;
        do
        {
            last = Volatile.Read(ref _lastMicroseconds);
            if (now <= last)
            {
                now = last;
                break;
            }
        }
        while (Interlocked.CompareExchange(ref _lastMicroseconds, now, last) != last);

        // 65,536 ids in one microsecond would be needed for the sequence to repeat within a timestamp.
        var sequence = (ushort)Interlocked.Increment(ref _sequence);
        return new MessageId((ulong)now, ((ulong)store.NodeNumber << 48) | ((ulong)publisher << 16) | sequence);
    }
}
