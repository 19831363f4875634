namespace Broker.Grains.Storage.Sqlite;

/// <summary>
/// Tables and their migrations. <c>PRAGMA user_version</c> is the number of migrations applied; each runs in a transaction
/// of its own, so a broker that dies in the middle goes on where it stopped.
/// </summary>
internal static class SqliteSchema
{
    /// <summary>In order; never changed once released, only appended to.</summary>
    public static readonly IReadOnlyList<string> Migrations =
    [
        """
        CREATE TABLE meta (
            name TEXT PRIMARY KEY,
            value INTEGER NOT NULL
        ) WITHOUT ROWID;

        CREATE TABLE session (
            number INTEGER PRIMARY KEY,
            client_id TEXT NOT NULL UNIQUE,
            epoch INTEGER NOT NULL,
            expiry_interval INTEGER NOT NULL,
            expires_at INTEGER,
            created_at INTEGER NOT NULL,
            version INTEGER NOT NULL,
            sent_up_to INTEGER
        );

        CREATE TABLE subscription (
            session INTEGER NOT NULL,
            filter TEXT NOT NULL,
            options INTEGER NOT NULL,
            identifier INTEGER NOT NULL,
            PRIMARY KEY (session, filter)
        ) WITHOUT ROWID;

        -- body: topic, properties, payload. flags: QoS, + 4 for RETAIN. expires_at: NULL when never.
        CREATE TABLE message (
            number INTEGER PRIMARY KEY,
            id BLOB NOT NULL,
            flags INTEGER NOT NULL,
            expires_at INTEGER,
            publisher TEXT NOT NULL,
            topic_length INTEGER NOT NULL,
            properties_length INTEGER NOT NULL,
            body BLOB NOT NULL
        );

        -- Deliveries that refer to a message, where there is more than one: apart from the body, so that an
        -- acknowledgement does not rewrite it.
        CREATE TABLE message_reference (
            message INTEGER PRIMARY KEY,
            count INTEGER NOT NULL
        );

        -- flags: QoS, + 4 for RETAIN, + 8 when PUBREC has arrived. identifiers: 4 bytes each, NULL when none.
        CREATE TABLE delivery (
            session INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            message INTEGER NOT NULL,
            size INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            expires_at INTEGER,
            identifiers BLOB,
            PRIMARY KEY (session, sequence)
        ) WITHOUT ROWID;

        CREATE TABLE inbound (
            session INTEGER NOT NULL,
            packet_id INTEGER NOT NULL,
            PRIMARY KEY (session, packet_id)
        ) WITHOUT ROWID;

        CREATE TABLE retained (
            number INTEGER PRIMARY KEY,
            topic TEXT NOT NULL UNIQUE,
            id BLOB NOT NULL,
            flags INTEGER NOT NULL,
            expires_at INTEGER,
            publisher TEXT NOT NULL,
            topic_length INTEGER NOT NULL,
            properties_length INTEGER NOT NULL,
            body BLOB NOT NULL
        );

        CREATE TABLE will (
            client_id TEXT PRIMARY KEY,
            delay_interval INTEGER NOT NULL,
            publish_at INTEGER,
            id BLOB NOT NULL,
            flags INTEGER NOT NULL,
            expires_at INTEGER,
            publisher TEXT NOT NULL,
            topic_length INTEGER NOT NULL,
            properties_length INTEGER NOT NULL,
            body BLOB NOT NULL
        );

        CREATE TABLE replay (
            session INTEGER NOT NULL,
            filter TEXT NOT NULL,
            after_number INTEGER NOT NULL,
            PRIMARY KEY (session, filter)
        ) WITHOUT ROWID;
        """,
        """
        CREATE TABLE item (
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            rank INTEGER NOT NULL,
            value BLOB NOT NULL,
            PRIMARY KEY (kind, key)
        ) WITHOUT ROWID;
        """,
        """
        -- due: milliseconds since 1970. What is due is a range of the index, in the order in which it is published.
        CREATE TABLE delayed (
            id BLOB PRIMARY KEY,
            due INTEGER NOT NULL,
            message BLOB,
            flags INTEGER NOT NULL,
            expires_at INTEGER,
            publisher TEXT NOT NULL,
            topic_length INTEGER NOT NULL,
            properties_length INTEGER NOT NULL,
            body BLOB NOT NULL
        );

        CREATE INDEX delayed_due ON delayed (due, id);
        """,
        """
        -- up_to: highest id among the messages that the replay began with; NULL in a row of an earlier version.
        ALTER TABLE replay ADD COLUMN up_to BLOB;
        """,
    ];

    /// <summary>Brings the file to the newest version.</summary>
    /// <returns>Version before and after.</returns>
    /// <exception cref="StoreOpenException">A newer broker wrote the file.</exception>
    public static (int From, int To) Migrate(SqliteDatabase database, string path, IReadOnlyList<string> migrations)
    {
        var from = (int)database.Scalar("PRAGMA user_version");
        if (from > migrations.Count)
        {
            throw new StoreOpenException(
                StoreOpenFailure.NewerSchema,
                $"The store {path} has schema version {from}, this broker knows versions up to {migrations.Count}: "
                    + "run the newer broker, or restore a backup made before the upgrade.");
        }

        for (var version = from; version < migrations.Count; version++)
        {
            database.Execute($"BEGIN IMMEDIATE; {migrations[version]} PRAGMA user_version = {version + 1}; COMMIT;");
        }

        return (from, migrations.Count);
    }
}
