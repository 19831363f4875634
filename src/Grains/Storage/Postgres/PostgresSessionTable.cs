using System.Globalization;
using System.Runtime.InteropServices;

namespace Broker.Grains.Storage.Postgres;

/// <summary>
/// What this silo believes about the stored sessions. Other silos change them, so each answer that a transaction relies on is
/// compared in it (<c>broker_begin</c>); a wrong one costs a second attempt, and a forgotten one nothing. Epochs only rise: a
/// lower epoch than the known one is refused for certain, a higher one is believed until the store says otherwise.
/// </summary>
internal sealed class PostgresSessionTable(int limit) : IKnownSessions
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Known> _sessions = [];

    // What the store has said about the group that is being committed; the writer's thread only.
    private readonly HashSet<long> _compared = [];
    private readonly HashSet<long> _refusedPuts = [];
    private readonly HashSet<long> _refusedDeletions = [];

    /// <inheritdoc />
    public bool Owns(long session, long epoch)
    {
        lock (_gate)
        {
            return !_sessions.TryGetValue(session, out var known)
                || (!known.IsGone && (epoch == known.Epoch || (epoch > known.Epoch && !_compared.Contains(session))));
        }
    }

    /// <inheritdoc />
    public bool MayHold(long session, long sequence)
    {
        lock (_gate)
        {
            return !_sessions.TryGetValue(session, out var known) || sequence <= known.HighestSequence;
        }
    }

    /// <summary>The store has refused this put in the group under way.</summary>
    public bool IsPutRefused(long session) => _refusedPuts.Contains(session);

    /// <summary>The store has refused this deletion in the group under way.</summary>
    public bool IsDeletionRefused(long session) => _refusedDeletions.Contains(session);

    /// <summary>Highest epoch that may be deleted with what is known; <see cref="long.MaxValue"/> when nothing is.</summary>
    public long DeletableEpoch(long session)
    {
        lock (_gate)
        {
            return _sessions.TryGetValue(session, out var known) && !known.IsGone ? known.Epoch : long.MaxValue;
        }
    }

    /// <summary>A row was read. Another silo may have stored deliveries of it since.</summary>
    public void Observed(long session, long epoch)
    {
        lock (_gate)
        {
            ref var known = ref Entry(session, out var existed);
            if (existed && (known.IsGone || epoch <= known.Epoch))
            {
                return;
            }

            known = new Known { Epoch = epoch, HighestSequence = long.MaxValue };
        }
    }

    /// <summary>A transaction that put the row is durable.</summary>
    /// <param name="knowsDeliveries">Nobody else can have stored deliveries since this table last knew of them.</param>
    public void Put(long session, long epoch, bool knowsDeliveries)
    {
        lock (_gate)
        {
            ref var known = ref Entry(session, out var existed);
            known.HighestSequence = !knowsDeliveries ? long.MaxValue
                : existed && !known.IsGone ? known.HighestSequence : long.MinValue;
            known.Epoch = epoch;
            known.IsGone = false;
        }
    }

    /// <summary>The row is not there any more, and its number will not come again.</summary>
    public void Deleted(long session)
    {
        lock (_gate)
        {
            Entry(session, out _) = new Known { IsGone = true, HighestSequence = long.MaxValue };
        }
    }

    /// <summary>A delivery with this sequence number was stored.</summary>
    public void Stored(long session, long sequence)
    {
        lock (_gate)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_sessions, session);
            if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref known) && known.HighestSequence < sequence)
            {
                known.HighestSequence = sequence;
            }
        }
    }

    /// <summary>Takes in the differences that <c>broker_begin</c> has raised (BR001).</summary>
    public void Learn(string differences)
    {
        foreach (var difference in differences.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = difference[1..].Split('=');
            var session = long.Parse(parts[0], CultureInfo.InvariantCulture);
            switch (difference[0])
            {
                case 'p':
                    _refusedPuts.Add(session);
                    continue;
                case 'd':
                    _refusedDeletions.Add(session);
                    break;
                default:
                    _compared.Add(session);
                    break;
            }

            if (parts[1].Length == 0)
            {
                Deleted(session);
                continue;
            }

            // Also a lower epoch than the known one is the truth: the database was restored from a backup.
            lock (_gate)
            {
                Entry(session, out _) = new Known
                {
                    Epoch = long.Parse(parts[1], CultureInfo.InvariantCulture),
                    HighestSequence = long.MaxValue,
                };
            }
        }
    }

    /// <summary>The group is decided: what the store refused in it says nothing about the next.</summary>
    public void EndGroup()
    {
        _compared.Clear();
        _refusedPuts.Clear();
        _refusedDeletions.Clear();
    }

    private ref Known Entry(long session, out bool existed)
    {
        if (_sessions.Count >= limit && !_sessions.ContainsKey(session))
        {
            _sessions.Clear();
        }

        return ref CollectionsMarshal.GetValueRefOrAddDefault(_sessions, session, out existed);
    }

    private struct Known
    {
        public long Epoch;
        public long HighestSequence;
        public bool IsGone;
    }
}
