using Broker.Grains.Messages;
using Broker.Grains.Options;

namespace Broker.Grains.Diagnostics;

/// <summary>
/// The latest acknowledgements, for the question what became of a message. Threads share a few rings: an acknowledgement costs a short lock that is
/// nearly always free, and allocates nothing.
/// </summary>
public sealed class AckTrail
{
    private readonly Ring[] _rings;
    private readonly TimeProvider _time;

    public AckTrail(LedgerOptions options, TimeProvider time)
    {
        _time = time;
        _rings = new Ring[options.MaxAcknowledgements == 0 ? 0 : Environment.ProcessorCount];
        for (var i = 0; i < _rings.Length; i++)
        {
            _rings[i] = new Ring(Math.Max(1, options.MaxAcknowledgements / _rings.Length));
        }
    }

    /// <summary>Whether any are remembered.</summary>
    public bool IsEnabled => _rings.Length > 0;

    /// <summary>A client has acknowledged a message.</summary>
    public void Add(MessageId id, string clientId, int packetId)
    {
        var ring = _rings[Environment.CurrentManagedThreadId % _rings.Length];
        lock (ring.Gate)
        {
            ring.Entries[ring.Next++ % ring.Entries.Length] = new Acknowledgement(id, clientId, packetId, Environment.TickCount64);
        }
    }

    /// <summary>Who has acknowledged a message lately.</summary>
    /// <returns>With the time in milliseconds since 1970.</returns>
    public IReadOnlyList<(string ClientId, int PacketId, long Time)> Find(MessageId id)
    {
        var found = new List<(string, int, long)>();
        var toWallClock = _time.GetUtcNow().ToUnixTimeMilliseconds() - Environment.TickCount64;
        foreach (var ring in _rings)
        {
            lock (ring.Gate)
            {
                foreach (var entry in ring.Entries)
                {
                    if (entry.Id == id && entry.ClientId is not null)
                    {
                        found.Add((entry.ClientId, entry.PacketId, entry.Tick + toWallClock));
                    }
                }
            }
        }

        return found;
    }

    private readonly record struct Acknowledgement(MessageId Id, string ClientId, int PacketId, long Tick);

    private sealed class Ring(int capacity)
    {
        public Lock Gate { get; } = new();

        public Acknowledgement[] Entries { get; } = new Acknowledgement[capacity];

        public long Next { get; set; }
    }
}
