using Broker.Grains.Storage;

namespace Broker.Grains.Messages;

/// <summary>
/// Hands out the <see cref="MessageId"/>s of one silo. Each is higher than all before it and than all that were observed,
/// also when the clock stands still or steps back: then the ids run ahead of it until it has caught up.
/// </summary>
/// <param name="store">Gives the number of this silo, which no other has.</param>
public sealed class MessageIdSource(IMessageStore store, TimeProvider time)
{
    private long _lastMicroseconds;
    private int _sequence;

    /// <summary>The next id for a message of <paramref name="publisher"/>, a number of the connection within the silo.</summary>
    public MessageId Next(uint publisher)
    {
        var clock = (time.GetUtcNow().Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        long last, next;
        do
        {
            last = Volatile.Read(ref _lastMicroseconds);
            next = Math.Max(clock, last + 1);
        }
        while (Interlocked.CompareExchange(ref _lastMicroseconds, next, last) != last);

        var sequence = (ushort)Interlocked.Increment(ref _sequence);
        return new MessageId((ulong)next, ((ulong)store.NodeNumber << 48) | ((ulong)publisher << 16) | sequence);
    }

    /// <summary>
    /// A message of another silo, or of an earlier life of this one: the ids from here on are higher, whatever the clocks
    /// say. So what is published after it, by someone who could know of it, is newer everywhere.
    /// </summary>
    public void Observe(MessageId id)
    {
        var seen = (long)Math.Min(id.TimestampMicroseconds, long.MaxValue / 2);
        long last;
        do
        {
            last = Volatile.Read(ref _lastMicroseconds);
        }
        while (seen > last && Interlocked.CompareExchange(ref _lastMicroseconds, seen, last) != last);
    }
}
