using System.Net;
using Broker.Grains.Messages;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Postgres;
using Broker.Protocol;
using Npgsql;

namespace Broker.Grains.Cluster;

/// <summary>What silos agree on through the database: who lives, and who has which session. Each call is one statement.</summary>
public sealed class ClusterStore : IAsyncDisposable
{
    // Loads of sessions that move: more at a time would only queue in the server.
    private const int Connections = 6;
    private const int MostFound = 500;

    // The condition on the filter is that of the index.
    internal const string HasMember =
        """
        SELECT EXISTS (
            SELECT FROM broker_subscription WHERE filter_key = $1 AND (filter LIKE '$share/%' OR filter LIKE '$queue/%'))
        """;

    private readonly ClusterStoreOptions _options;
    private readonly PostgresMessageStore _store;
    private readonly NpgsqlDataSource _source;
    private readonly Gathering<string, SessionPlace?> _finding;

    public ClusterStore(ClusterStoreOptions options, PostgresMessageStore store)
    {
        _options = options;
        _store = store;
        _source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            MaxPoolSize = Connections,
            Timeout = 5,
            CommandTimeout = 10,
            MaxAutoPrepare = 32,
            AutoPrepareMinUsages = 2,
            ApplicationName = "broker cluster",
            Enlist = false,
            NoResetOnClose = true,
        });
        _finding = new Gathering<string, SessionPlace?>(MostFound, FindAsync);
    }

    private long Owner => _store.Owner;

    /// <summary>Makes this silo known; before it has any session.</summary>
    public Task RegisterAsync(SiloAddress silo, CancellationToken cancellationToken) => ExecuteAsync(
        """
        WITH forgotten AS (
            DELETE FROM broker_silo WHERE owner IN (
                SELECT owner FROM broker_silo s
                WHERE alive_until < clock_timestamp() - interval '1 hour' AND NOT broker_is_member(owner)
                    AND NOT EXISTS (SELECT FROM broker_session WHERE owner = s.owner)
                    AND NOT EXISTS (SELECT FROM broker_will WHERE owner = s.owner)
                    AND NOT EXISTS (SELECT FROM broker_delayed WHERE owner = s.owner)
                FOR UPDATE SKIP LOCKED))
        INSERT INTO broker_silo (owner, cluster, address, port, generation, alive_until)
        VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6)
        """,
        cancellationToken,
        Owner, _options.Cluster, silo.Endpoint.Address.ToString(), silo.Endpoint.Port, silo.Generation, _options.SiloTime);

    /// <summary>Renews this silo's time; false when it counts as dead.</summary>
    public async Task<bool> RenewAsync(CancellationToken cancellationToken) =>
        (await QueryAsync("SELECT broker_renew($1, $2)", static r => r.GetBoolean(0), cancellationToken, Owner, _options.SiloTime))[0];

    /// <summary>How many living silos do not answer this one.</summary>
    public Task NoteSilentAsync(int silent, CancellationToken cancellationToken) => ExecuteAsync(
        "UPDATE broker_silo SET silent = $1 WHERE owner = $2", cancellationToken, silent, Owner);

    /// <summary>How many do not answer another silo; null when that is out of its time or not a member.</summary>
    public async Task<int?> SilentOfAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        var found = await QueryAsync(
            """
            SELECT silent FROM broker_silo
            WHERE cluster = $1 AND address = $2 AND port = $3 AND generation = $4
                AND alive_until > clock_timestamp() AND broker_is_member(owner)
            """,
            static r => r.GetInt32(0),
            cancellationToken,
            _options.Cluster, silo.Endpoint.Address.ToString(), silo.Endpoint.Port, silo.Generation);
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>The silo acts no more: whoever takes over need not wait.</summary>
    public Task LeaveAsync(CancellationToken cancellationToken) => ExecuteAsync(
        "UPDATE broker_silo SET alive_until = clock_timestamp() WHERE owner = $1", cancellationToken, Owner);

    /// <summary>Whether silos are out of the membership and out of time; shuts out those that are.</summary>
    public async Task<bool> AreFencedAsync(IReadOnlyList<SiloAddress> silos, CancellationToken cancellationToken)
    {
        var living = await QueryAsync(
            """
            SELECT address, port, generation FROM broker_silo, (SELECT broker_fence() AS dead OFFSET 0) f
            WHERE owner <> ALL (dead) AND cluster = $1
            """,
            ReadSilo,
            cancellationToken,
            _options.Cluster);
        return !silos.Any(living.Contains);
    }

    /// <summary>
    /// Other silos that are out of time but have not been declared dead, and whether each is of this cluster; their sessions cannot
    /// be taken yet.
    /// </summary>
    public Task<List<(SiloAddress Silo, bool IsOfCluster)>> UndecidedAsync(CancellationToken cancellationToken) => QueryAsync(
        """
        SELECT address, port, generation, cluster = $1 FROM broker_silo
        WHERE alive_until < clock_timestamp() AND owner <> $2 AND broker_is_member(owner)
        """,
        static r => (ReadSilo(r), r.GetBoolean(3)),
        cancellationToken,
        _options.Cluster, Owner);

    /// <summary>
    /// The other silos that may have sessions, in one look: whatever session is not this silo's belongs to one of them at that moment.
    /// </summary>
    public Task<List<OtherSilo>> OthersAsync(CancellationToken cancellationToken) => QueryAsync(
        """
        SELECT address, port, generation, cluster = $1, is_member AND is_in_time FROM (
            SELECT s.*, broker_is_member(owner) AS is_member, alive_until > clock_timestamp() AS is_in_time
            FROM broker_silo s WHERE owner <> $2) s
        WHERE is_member OR is_in_time OR EXISTS (SELECT FROM broker_session WHERE owner = s.owner)
        """,
        static r => new OtherSilo(ReadSilo(r), r.GetBoolean(3), r.GetBoolean(4)),
        cancellationToken,
        _options.Cluster, Owner);

    /// <summary>Takes over up to so many sessions of dead silos, and tells whose each was.</summary>
    public async Task<List<(long Session, SiloAddress? Former)>> AdoptAsync(long now, int limit, CancellationToken cancellationToken)
    {
        return await QueryAsync(
            """
            SELECT a.session, s.address, s.port, s.generation
            FROM broker_adopt($1, $2, $3) a LEFT JOIN broker_silo s ON s.owner = a.former
            """,
            static r => (r.GetInt64(0), r.IsDBNull(1) ? null : ReadSilo(r, 1)),
            cancellationToken,
            Owner, now, limit);
    }

    /// <summary>Sessions of this process that it has adopted at any time, and from whom.</summary>
    public Task<List<(long Session, SiloAddress? Former)>> AdoptedAsync(CancellationToken cancellationToken) => QueryAsync(
        """
        SELECT a.number, s.address, s.port, s.generation
        FROM broker_session a LEFT JOIN broker_silo s ON s.owner = a.adopted_from
        WHERE a.owner = $1 AND a.adopted_from IS NOT NULL
        """,
        static r => (r.GetInt64(0), r.IsDBNull(1) ? null : ReadSilo(r, 1)),
        cancellationToken,
        Owner);

    /// <summary>Whether dead silos have sessions left; those that somebody else is just taking are among them.</summary>
    public async Task<bool> AreLeftAsync(CancellationToken cancellationToken) => (await QueryAsync(
        """
        SELECT EXISTS (
            SELECT FROM broker_session, (SELECT broker_fence() AS dead OFFSET 0) f WHERE owner = ANY (dead))
        """,
        static r => r.GetBoolean(0),
        cancellationToken))[0];

    /// <summary>Wills of this process, adopted ones and those of its own connections. Whose the adopted ones were is not known any more.</summary>
    public Task<List<AdoptedWill>> WillsAsync(CancellationToken cancellationToken) => QueryAsync(
        $"SELECT client_id, delay_interval, publish_at, {PostgresRows.MessageNames}, 0::bigint FROM broker_will WHERE owner = $1",
        ReadAdoptedWill,
        cancellationToken,
        Owner);

    /// <summary>Members that are in their time.</summary>
    public Task<List<SiloAddress>> LivingAsync(CancellationToken cancellationToken) => QueryAsync(
        "SELECT address, port, generation FROM broker_silo WHERE cluster = $1 AND alive_until > clock_timestamp() AND broker_is_member(owner)",
        ReadSilo,
        cancellationToken,
        _options.Cluster);

    /// <summary>
    /// Takes over the Wills of sessions that this silo has just adopted. Those that it has taken already, in an attempt whose answer
    /// was lost, are among the answers.
    /// </summary>
    public Task<List<AdoptedWill>> AdoptWillsAsync(IReadOnlyCollection<long> sessions, CancellationToken cancellationToken) => QueryAsync(
        TakeWills(
            "WHERE broker_will.client_id IN (SELECT client_id FROM broker_session WHERE number = ANY ($2) AND owner = $1)",
            "AND (broker_will.owner = ANY (dead) OR broker_will.owner = $1)"),
        ReadAdoptedWill,
        cancellationToken,
        Owner, sessions.ToArray());

    /// <summary>Takes over the Wills of dead silos, but those of clients whose session is elsewhere: a CONNECT finds both in one place.</summary>
    public Task<List<AdoptedWill>> AdoptWillsAsync(CancellationToken cancellationToken) => QueryAsync(
        TakeWills(
            "WHERE broker_will.owner = ANY (dead)",
            "AND NOT EXISTS (SELECT FROM broker_session s WHERE s.client_id = broker_will.client_id AND s.owner <> $1)"),
        ReadAdoptedWill,
        cancellationToken,
        Owner);

    /// <summary>Takes over up to so many delayed messages of dead silos.</summary>
    public async Task<DelayedSummary> AdoptDelayedAsync(int limit, CancellationToken cancellationToken) => (await QueryAsync(
        "SELECT messages, bytes FROM broker_adopt_delayed($1, $2)",
        static r => new DelayedSummary(r.GetInt32(0), r.GetInt64(1)),
        cancellationToken,
        Owner, limit))[0];

    /// <summary>Claims an exclusive subscription for a client; false when another one holds it.</summary>
    /// <param name="holder">Number of its session, or one that no session has.</param>
    public async Task<bool> ClaimExclusiveAsync(string filter, string clientId, long holder, CancellationToken cancellationToken) =>
        (await QueryAsync(
            "SELECT broker_claim_exclusive($1, $2, $3, $4, $5)",
            static r => r.GetBoolean(0),
            cancellationToken,
            PostgresRows.Key(filter), filter, clientId, holder, Owner))[0];

    /// <summary>Removes claims of exclusive subscriptions that hold no more.</summary>
    public Task PurgeExclusiveAsync(CancellationToken cancellationToken) =>
        ExecuteAsync("SELECT broker_purge_exclusive()", cancellationToken);

    /// <summary>
    /// Takes sessions from processes that have given them up or are dead. Those that are not there any more, or whose epoch is
    /// another one because a CONNECT has taken them on meanwhile, are not among the answers.
    /// </summary>
    public Task<List<long>> ClaimAsync(
        IReadOnlyCollection<(long Session, long Former, long Epoch)> sessions, CancellationToken cancellationToken) => QueryAsync(
        """
        WITH wanted AS (SELECT * FROM unnest($2, $3, $4) AS w (session, former, epoch)), locked AS (
            SELECT s.number FROM broker_session s JOIN wanted w ON s.number = w.session AND s.owner = w.former AND s.epoch = w.epoch
            ORDER BY s.number FOR UPDATE OF s)
        UPDATE broker_session s SET owner = $1, adopted_from = NULL, epoch = epoch + 1
        FROM locked l WHERE s.number = l.number RETURNING s.number
        """,
        static r => r.GetInt64(0),
        cancellationToken,
        Owner,
        sessions.Select(static s => s.Session).ToArray(),
        sessions.Select(static s => s.Former).ToArray(),
        sessions.Select(static s => s.Epoch).ToArray());

    /// <summary>Where a client's durable session or Will is; null when it has none. Clients that come together are looked for together.</summary>
    public Task<SessionPlace?> FindAsync(string clientId, CancellationToken cancellationToken) =>
        _finding.AskAsync(clientId).WaitAsync(cancellationToken);

    /// <summary>Whether a session belongs to this process.</summary>
    public bool IsOwn(SessionPlace place) => place.Owner == Owner;

    /// <summary>Sessions with everything but their deliveries.</summary>
    public Task<RecoveredState> LoadAsync(IReadOnlyCollection<long> sessions, CancellationToken cancellationToken) =>
        _store.LoadSessionsAsync([.. sessions], cancellationToken);

    /// <summary>All retained messages, and topics that were cleared lately.</summary>
    public Task<List<RetainedRow>> LoadRetainedAsync(CancellationToken cancellationToken) => QueryAsync(
        $"SELECT topic, number, {PostgresRows.MessageNames} FROM broker_retained ORDER BY number",
        PostgresRows.ReadRetained,
        cancellationToken);

    /// <summary>What a silo has set or cleared, from a version on.</summary>
    /// <param name="node">Its node number, which its message ids carry.</param>
    public Task<List<RetainedRow>> LoadRetainedAsync(ushort node, MessageId from, CancellationToken cancellationToken) => QueryAsync(
        $"""
        SELECT topic, number, {PostgresRows.MessageNames} FROM broker_retained
        WHERE substr(uuid_send(id), 9, 2) = $1 AND id >= $2 ORDER BY number
        """,
        PostgresRows.ReadRetained,
        cancellationToken,
        new[] { (byte)(node >> 8), (byte)node }, PostgresRows.Id(from));

    /// <summary>Node numbers of silos, in message ids; also of dead ones, as long as nobody has got the number since.</summary>
    public async Task<List<ushort>> NodesAsync(IReadOnlyCollection<SiloAddress> silos, CancellationToken cancellationToken)
    {
        // The owner is negative once the silo is shut out.
        var nodes = await QueryAsync(
            """
            SELECT n.number, s.address, s.port, s.generation
            FROM broker_node n JOIN broker_silo s ON s.owner = abs(n.owner) WHERE s.cluster = $1
            """,
            static r => (Number: (ushort)r.GetInt32(0), Silo: ReadSilo(r, 1)),
            cancellationToken,
            _options.Cluster);
        return [.. nodes.Where(n => silos.Contains(n.Silo)).Select(static n => n.Number)];
    }

    /// <summary>
    /// Forgets topics that were cleared ten minutes ago, or that many others were cleared after; what another silo is
    /// writing just now is left to the next time.
    /// </summary>
    public Task PurgeClearedAsync(CancellationToken cancellationToken) => ExecuteAsync(
        """
        WITH old AS (
            SELECT topic_key FROM broker_retained
            WHERE body = '' AND cleared_at < greatest(
                now() - interval '10 minutes',
                (SELECT cleared_at FROM broker_retained WHERE cleared_at IS NOT NULL ORDER BY cleared_at DESC OFFSET 100000 LIMIT 1))
            FOR UPDATE SKIP LOCKED)
        DELETE FROM broker_retained r USING old WHERE r.topic_key = old.topic_key
        """,
        cancellationToken);

    /// <summary>Ids of the messages that were stored for sessions after a sequence number of each.</summary>
    public Task<List<(long Session, MessageId Id)>> StoredIdsAsync(
        IReadOnlyCollection<(long Session, long After)> sessions, CancellationToken cancellationToken) => QueryAsync(
        """
        SELECT d.session, m.id FROM unnest($1, $2) AS w (session, after)
        JOIN broker_delivery d ON d.session = w.session AND d.sequence > w.after
        JOIN broker_message m ON m.number = d.message
        """,
        static r => (r.GetInt64(0), PostgresRows.ReadId(r, 1)),
        cancellationToken,
        sessions.Select(static s => s.Session).ToArray(), sessions.Select(static s => s.After).ToArray());

    /// <summary>Which of these sessions have which of these messages.</summary>
    public Task<List<(long Session, MessageId Id)>> HeldAsync(
        IReadOnlyCollection<long> sessions, IReadOnlyCollection<MessageId> ids, CancellationToken cancellationToken) => QueryAsync(
        """
        SELECT d.session, m.id FROM broker_delivery d JOIN broker_message m ON m.number = d.message
        WHERE d.session = ANY ($1) AND m.id = ANY ($2)
        """,
        static r => (r.GetInt64(0), PostgresRows.ReadId(r, 1)),
        cancellationToken,
        sessions.ToArray(), ids.Select(PostgresRows.Id).ToArray());

    /// <summary>Which of these messages may still be published again: by their publishers, or as delayed ones.</summary>
    public Task<List<MessageId>> RepeatableAsync(IReadOnlyCollection<MessageId> ids, CancellationToken cancellationToken) => QueryAsync(
        """
        SELECT message FROM broker_inbound WHERE message = ANY ($1)
        UNION ALL SELECT message FROM broker_delayed WHERE message = ANY ($1)
        """,
        static r => PostgresRows.ReadId(r, 0),
        cancellationToken,
        [ids.Select(PostgresRows.Id).ToArray()]);

    /// <summary>Which sessions have which of these messages, that may be repeated, at QoS 2.</summary>
    public Task<List<(long Session, MessageId Id)>> HoldersAsync(
        IReadOnlyCollection<MessageId> ids, CancellationToken cancellationToken) => QueryAsync(
        "SELECT session, in_doubt FROM broker_delivery WHERE in_doubt = ANY ($1)",
        static r => (r.GetInt64(0), PostgresRows.ReadId(r, 1)),
        cancellationToken,
        [ids.Select(PostgresRows.Id).ToArray()]);

    /// <summary>Makes the row of a group's session, as this silo's; false when there is one by now.</summary>
    public async Task<bool> CreateGroupAsync(long number, string filter, long now, CancellationToken cancellationToken) =>
        (await QueryAsync(
            """
            INSERT INTO broker_session (number, client_id, epoch, owner, expiry_interval, created_at, version)
            VALUES ($1, $2, 1, $3, $4, $5, $6) ON CONFLICT (client_id) DO NOTHING RETURNING number
            """,
            static r => r.GetInt64(0),
            cancellationToken,
            number, filter, Owner, (long)uint.MaxValue, now, (short)ProtocolVersion.Mqtt5)).Count == 1;

    /// <summary>Whether a durable session, of whichever silo, subscribes to the filter of a group.</summary>
    public async Task<bool> HasMemberAsync(string filter, CancellationToken cancellationToken) =>
        (await QueryAsync(HasMember, static r => r.GetBoolean(0), cancellationToken, PostgresRows.Key(filter)))[0];

    /// <summary>
    /// Makes a message of a group one of a session of this silo: marks the group's row as done with and adds the session's.
    /// Whoever comes second to the same one finds it done with.
    /// </summary>
    /// <param name="group">Number of the group's session.</param>
    /// <param name="own">The row as it is to be, with a message number of its own.</param>
    /// <returns>Whether it is this session's, also by an earlier attempt whose answer was lost.</returns>
    public async Task<bool> TakeDeliveryAsync(long group, long sequence, DeliveryRow own, CancellationToken cancellationToken) =>
        (await QueryAsync(
            """
            WITH taken AS (
                UPDATE broker_delivery SET flags = flags | 8
                WHERE session = $1 AND sequence = $2 AND flags & 8 = 0
                    AND EXISTS (SELECT FROM broker_session WHERE number = $3 AND owner = $7)
                RETURNING message, size, expires_at, in_doubt),
            body AS (
                INSERT INTO broker_message SELECT $8, m.id, m.flags, m.expires_at, m.publisher, m.topic_length, m.properties_length, m.body
                FROM broker_message m JOIN taken ON m.number = taken.message),
            own AS (
                INSERT INTO broker_delivery (session, sequence, message, size, flags, expires_at, identifiers, in_doubt)
                SELECT $3, $4, $8, size, $5, expires_at, $6, in_doubt FROM taken)
            SELECT EXISTS (SELECT FROM taken) OR EXISTS (SELECT FROM broker_delivery WHERE session = $3 AND sequence = $4 AND message = $8)
            """,
            static r => r.GetBoolean(0),
            cancellationToken,
            group, sequence, own.Session, own.Sequence, PostgresRows.Flags(own),
            (object?)PostgresRows.Identifiers(own.SubscriptionIdentifiers) ?? DBNull.Value, Owner, own.Message))[0];

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private async Task FindAsync(IReadOnlyList<Gathering<string, SessionPlace?>.Asked> clients)
    {
        var found = (await QueryAsync(
            """
            SELECT f.client_id, f.number, f.owner, s.address, s.port, s.generation,
                coalesce(s.alive_until < clock_timestamp() AND NOT broker_is_member(f.owner), true), f.epoch
            FROM (
                SELECT client_id, number, owner, epoch FROM broker_session WHERE client_id = ANY ($1)
                UNION ALL SELECT client_id, 0, owner, 0 FROM broker_will WHERE client_id = ANY ($1)) f
            LEFT JOIN broker_silo s ON s.owner = f.owner
            ORDER BY f.number
            """,
            static r => (Client: r.GetString(0), Place: new SessionPlace(
                r.GetInt64(1), r.GetInt64(2), r.IsDBNull(3) ? null : ReadSilo(r, 3), r.GetBoolean(6), r.GetInt64(7))),
            CancellationToken.None,
            [clients.Select(static c => c.Item).Distinct(StringComparer.Ordinal).ToArray()]))

            // Of a session and a Will the session, which comes last.
            .GroupBy(static f => f.Client, StringComparer.Ordinal).ToDictionary(static g => g.Key, static g => g.Last().Place, StringComparer.Ordinal);
        foreach (var client in clients)
        {
            client.Set(found.GetValueOrDefault(client.Item));
        }
    }

    /// <summary>Makes Wills this silo's; with each, for how many milliseconds the one that had it has been out of its time.</summary>
    private static string TakeWills(string which, string of) =>
        $"""
        WITH fenced AS (SELECT broker_fence() AS dead), taken AS (
            UPDATE broker_will SET owner = $1 FROM fenced, broker_silo former
            {which} {of} AND former.owner = broker_will.owner
            RETURNING broker_will.*, broker_down_for(former.alive_until) AS down_for)
        SELECT client_id, delay_interval, publish_at, {PostgresRows.MessageNames}, down_for FROM taken
        """;

    private static AdoptedWill ReadAdoptedWill(NpgsqlDataReader row) => new(PostgresRows.ReadWill(row), row.GetInt64(row.FieldCount - 1));

    private static SiloAddress ReadSilo(NpgsqlDataReader row) => ReadSilo(row, 0);

    private static SiloAddress ReadSilo(NpgsqlDataReader row, int at) => SiloAddress.New(
        new IPEndPoint(IPAddress.Parse(row.GetString(at)), row.GetInt32(at + 1)), row.GetInt32(at + 2));

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] values) =>
        await QueryAsync(sql, static _ => 0, cancellationToken, values);

    private Task<List<T>> QueryAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object[] values) =>
        _source.ListAsync(sql, read, cancellationToken, values);
}
