using System.Runtime.InteropServices;

namespace Broker.Grains.Storage.Sqlite;

/// <summary>
/// What the writer knows of the stored sessions, so that fencing (promise 4) and the question whether a delivery can be stored
/// already cost no read. It holds because nobody else changes the file. 40 bytes a session.
/// </summary>
internal sealed class SessionTable : IKnownSessions
{
    private readonly Dictionary<long, Known> _sessions = [];

    /// <summary>The epoch that owns a session, or null when there is no such session.</summary>
    public long? Epoch(long session) =>
        _sessions.TryGetValue(session, out var known) && known.Exists ? known.Epoch : null;

    /// <inheritdoc />
    public bool Owns(long session, long epoch) => Epoch(session) == epoch;

    /// <inheritdoc />
    public bool MayHold(long session, long sequence) =>
        !_sessions.TryGetValue(session, out var known) || sequence <= known.HighestSequence;

    public void Put(long session, long epoch)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_sessions, session, out var existed);
        known.Epoch = epoch;
        known.Exists = true;
        if (!existed)
        {
            known.HighestSequence = long.MinValue;
        }
    }

    public void Delete(long session) => _sessions.Remove(session);

    /// <summary>A delivery with this sequence number was stored. A session unknown here stays unknown.</summary>
    public void Stored(long session, long sequence)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_sessions, session);
        if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref known) && known.HighestSequence < sequence)
        {
            known.HighestSequence = sequence;
        }
    }

    private struct Known
    {
        public long Epoch;
        public long HighestSequence;
        public bool Exists;
    }
}
