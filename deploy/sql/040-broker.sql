-- broker, version 2
-- Tables of the message store. Same meaning as the tables of the embedded store; what differs is that several silos write at
-- the same time. Can be run again without harm.
--
-- A table of queues is filled and emptied for ever. Statistics say nothing about it, and the default share of dead rows (20 %)
-- is far too late when it is long: autovacuum is called by a fixed number of dead rows. Rows that are updated in place
-- (session, reference, node) leave room in the page, so that the new version stays there and no index changes.
-- Keys of text that may be longer than an index row (filters, topics) are the first 16 bytes of its SHA-256.

-- Each call gives a silo a block of numbers, as long as the increment.
CREATE SEQUENCE IF NOT EXISTS broker_message_number INCREMENT BY 16777216 START WITH 1;
CREATE SEQUENCE IF NOT EXISTS broker_session_number INCREMENT BY 65536 START WITH 1;
CREATE SEQUENCE IF NOT EXISTS broker_owner START WITH 1;

CREATE TABLE IF NOT EXISTS broker_meta (
    name text COLLATE "C" PRIMARY KEY,
    value bigint NOT NULL
);

-- A node number is lent to one process at a time. owner: the process, from broker_owner. fence: raised to shut out a
-- transaction of that process whose connection was lost. committed: number of its last transaction.
CREATE TABLE IF NOT EXISTS broker_node (
    number integer PRIMARY KEY CHECK (number BETWEEN 1 AND 65535),
    owner bigint NOT NULL,
    fence bigint NOT NULL,
    committed bigint NOT NULL,
    leased_until timestamptz NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- owner: the process that wrote the row last; with the epoch it decides who may replace it.
CREATE TABLE IF NOT EXISTS broker_session (
    number bigint PRIMARY KEY,
    client_id text COLLATE "C" NOT NULL CONSTRAINT broker_session_client UNIQUE,
    epoch bigint NOT NULL,
    owner bigint NOT NULL,
    expiry_interval bigint NOT NULL,
    expires_at bigint,
    created_at bigint NOT NULL,
    version smallint NOT NULL,
    sent_up_to bigint
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

CREATE TABLE IF NOT EXISTS broker_subscription (
    session bigint NOT NULL,
    filter_key uuid NOT NULL,
    filter text COLLATE "C" NOT NULL,
    options smallint NOT NULL,
    identifier bigint NOT NULL,
    PRIMARY KEY (session, filter_key)
);

-- body: topic, properties, payload. flags: QoS, + 4 for RETAIN. expires_at: NULL when never.
CREATE TABLE IF NOT EXISTS broker_message (
    number bigint PRIMARY KEY,
    id uuid NOT NULL,
    flags smallint NOT NULL,
    expires_at bigint,
    publisher text COLLATE "C" NOT NULL,
    topic_length integer NOT NULL,
    properties_length integer NOT NULL,
    body bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000,
        toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 10000);

-- Payloads are often compressed or encrypted already, and are read once: trying to compress them costs more than it saves.
ALTER TABLE broker_message ALTER COLUMN body SET STORAGE EXTERNAL;

-- Deliveries that refer to a message, where there is more than one: apart from the body, so that an acknowledgement does not
-- rewrite it. A message without a row here has one.
CREATE TABLE IF NOT EXISTS broker_message_reference (
    message bigint PRIMARY KEY,
    count integer NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000);

-- flags: QoS, + 4 for RETAIN, + 8 when PUBREC has arrived. identifiers: NULL when none.
CREATE TABLE IF NOT EXISTS broker_delivery (
    session bigint NOT NULL,
    sequence bigint NOT NULL,
    message bigint NOT NULL,
    size integer NOT NULL,
    flags smallint NOT NULL,
    expires_at bigint,
    identifiers bytea,
    PRIMARY KEY (session, sequence)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000);

CREATE TABLE IF NOT EXISTS broker_inbound (
    session bigint NOT NULL,
    packet_id integer NOT NULL,
    PRIMARY KEY (session, packet_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

CREATE TABLE IF NOT EXISTS broker_retained (
    topic_key uuid PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    topic text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    flags smallint NOT NULL,
    expires_at bigint,
    publisher text COLLATE "C" NOT NULL,
    topic_length integer NOT NULL,
    properties_length integer NOT NULL,
    body bytea NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE IF NOT EXISTS broker_will (
    client_id text COLLATE "C" PRIMARY KEY,
    delay_interval bigint NOT NULL,
    publish_at bigint,
    id uuid NOT NULL,
    flags smallint NOT NULL,
    expires_at bigint,
    publisher text COLLATE "C" NOT NULL,
    topic_length integer NOT NULL,
    properties_length integer NOT NULL,
    body bytea NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE IF NOT EXISTS broker_replay (
    session bigint NOT NULL,
    filter_key uuid NOT NULL,
    filter text COLLATE "C" NOT NULL,
    after_number bigint NOT NULL,
    PRIMARY KEY (session, filter_key)
);

-- First statement of every transaction of a silo. Leaves the transaction's number as its token, then locks the sessions that
-- the transaction relies on, in the order of their numbers, and compares.
--   owns:    the row must exist with exactly this epoch.
--   puts:    the row, and any other of the same client, must be absent, of a lower epoch, or of this epoch and this owner.
--   deletes: the row must not have a higher epoch than the one the silo knows, unless it is this owner's.
-- Raises BR001 with the differences (o<number>=<epoch>, p<number>, d<number>=<epoch>), BR002 when the node number is lost.
-- The locks last to the end of the transaction, so nobody can take a session over between comparison and commit.
CREATE OR REPLACE FUNCTION broker_begin(
    p_node integer, p_owner bigint, p_fence bigint, p_commit bigint,
    p_owns bigint[], p_owns_epoch bigint[],
    p_puts bigint[], p_puts_epoch bigint[], p_puts_client text[],
    p_deletes bigint[], p_deletes_epoch bigint[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    stale text;
BEGIN
    UPDATE broker_node SET committed = p_commit WHERE number = p_node AND owner = p_owner AND fence = p_fence;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'node number % is not lent to % any more', p_node, p_owner USING ERRCODE = 'BR002';
    END IF;

    IF cardinality(p_owns) + cardinality(p_puts) + cardinality(p_deletes) = 0 THEN
        RETURN 0;
    END IF;

    -- Locked first and read after: the second statement sees what a waiting lock has let in.
    IF cardinality(p_puts) = 0 THEN
        PERFORM FROM broker_session WHERE number = ANY (p_owns || p_deletes) ORDER BY number FOR NO KEY UPDATE;
    ELSE
        PERFORM FROM broker_session
            WHERE number = ANY (ARRAY(
                SELECT unnest(p_owns || p_puts || p_deletes)
                UNION SELECT s.number FROM broker_session s WHERE s.client_id = ANY (p_puts_client)))
            ORDER BY number FOR NO KEY UPDATE;
    END IF;

    SELECT string_agg(difference, ' ') INTO stale FROM (
        SELECT 'o' || o.number || '=' || coalesce(s.epoch::text, '') AS difference
            FROM unnest(p_owns, p_owns_epoch) AS o (number, epoch)
            LEFT JOIN LATERAL (SELECT epoch FROM broker_session WHERE number = o.number OFFSET 0) s ON true
            WHERE s.epoch IS DISTINCT FROM o.epoch
        UNION ALL
        SELECT 'p' || p.number
            FROM unnest(p_puts, p_puts_epoch, p_puts_client) AS p (number, epoch, client)
            CROSS JOIN LATERAL (
                (SELECT number, epoch, owner FROM broker_session WHERE number = p.number)
                UNION (SELECT number, epoch, owner FROM broker_session WHERE client_id = p.client)) s
            WHERE s.number <> ALL (p_deletes) AND (s.number <> ALL (p_owns) OR s.epoch > p.epoch)
                AND NOT (s.epoch < p.epoch OR (s.epoch = p.epoch AND s.owner = p_owner))
        UNION ALL
        SELECT 'd' || d.number || '=' || s.epoch
            FROM unnest(p_deletes, p_deletes_epoch) AS d (number, epoch)
            CROSS JOIN LATERAL (SELECT epoch, owner FROM broker_session WHERE number = d.number OFFSET 0) s
            WHERE s.epoch > d.epoch AND s.owner <> p_owner) differences;
    IF stale IS NOT NULL THEN
        RAISE EXCEPTION '%', stale USING ERRCODE = 'BR001';
    END IF;

    RETURN 0;
END
$$;

-- Gives references back: n of each message. Several silos do so with the same message at the same time, so the counts are
-- locked first, in the order of their numbers. A message without a count has one reference.
CREATE OR REPLACE FUNCTION broker_release(p_message bigint[], p_n integer[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    dead bigint[] := p_message;
    counted integer;
    changed integer;
    rows integer := 0;
BEGIN
    PERFORM FROM broker_message_reference WHERE message = ANY (p_message) ORDER BY message FOR UPDATE;
    GET DIAGNOSTICS counted = ROW_COUNT;
    IF counted > 0 THEN
        -- As a new statement, so with the counts as they are after the wait for the locks.
        SELECT array_agg(r.message) FILTER (WHERE coalesce(c.count, 1) - r.n <= 0) INTO dead
            FROM unnest(p_message, p_n) AS r (message, n)
            LEFT JOIN LATERAL (SELECT count FROM broker_message_reference WHERE message = r.message OFFSET 0) c ON true;

        -- Not as an UPDATE that joins them: planned while the table is empty, that would look through all of it for each message.
        INSERT INTO broker_message_reference AS c (message, count)
            SELECT r.message, r.n FROM unnest(p_message, p_n) AS r (message, n)
            CROSS JOIN LATERAL (SELECT FROM broker_message_reference WHERE message = r.message OFFSET 0) known
            ON CONFLICT (message) DO UPDATE SET count = c.count - excluded.count;
        GET DIAGNOSTICS rows = ROW_COUNT;
        DELETE FROM broker_message_reference WHERE message = ANY (p_message) AND count <= 1;
    END IF;

    DELETE FROM broker_message WHERE number = ANY (dead);
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN rows + changed;
END
$$;

-- Everything that a transaction deletes and that can take messages along. Sessions whole (and those that a new session of
-- the same client replaces), deliveries by ranges of their sequence, deliveries about to be replaced by one of another
-- message, and references of deliveries that were never stored.
CREATE OR REPLACE FUNCTION broker_delete(
    p_owner bigint, p_sessions bigint[], p_puts bigint[], p_puts_epoch bigint[], p_puts_client text[],
    p_session bigint[], p_first bigint[], p_last bigint[],
    p_replaced_session bigint[], p_replaced_sequence bigint[], p_replaced_message bigint[],
    p_message bigint[], p_n integer[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    gone bigint[] := p_sessions;
    replaced bigint[];
    released bigint[];
    counts integer[];
    changed integer;
    rows integer := 0;
BEGIN
    IF cardinality(p_puts) > 0 THEN
        -- A row that has come since broker_begin may belong to another silo: then it stays, and the unique client_id ends
        -- this transaction.
        gone := gone || ARRAY(
            SELECT s.number FROM unnest(p_puts, p_puts_epoch, p_puts_client) AS p (number, epoch, client)
            CROSS JOIN LATERAL (
                SELECT number, epoch, owner FROM broker_session
                WHERE client_id = p.client AND number <> p.number OFFSET 0) s
            WHERE s.epoch < p.epoch OR (s.epoch = p.epoch AND s.owner = p_owner));
    END IF;

    IF cardinality(p_replaced_session) > 0 THEN
        replaced := ARRAY(
            SELECT d.message FROM unnest(p_replaced_session, p_replaced_sequence, p_replaced_message) AS r (session, sequence, message)
            CROSS JOIN LATERAL (
                SELECT message FROM broker_delivery WHERE session = r.session AND sequence = r.sequence OFFSET 0) d
            WHERE d.message <> r.message AND r.session <> ALL (gone));
    END IF;

    -- By physical place, which one index probe for each range has found: the plan cannot depend on statistics. Nobody else
    -- moves these rows, because their sessions are locked.
    WITH deleted AS (
        DELETE FROM broker_delivery WHERE ctid = ANY (ARRAY(
            SELECT d.place FROM unnest(p_session, p_first, p_last) AS r (session, first, last)
            CROSS JOIN LATERAL (
                SELECT ctid AS place FROM broker_delivery
                WHERE session = r.session AND sequence BETWEEN r.first AND r.last OFFSET 0) d
            UNION ALL
            SELECT ctid FROM broker_delivery WHERE session = ANY (gone)))
        RETURNING message),
    given_back AS (
        SELECT message, 1 AS n FROM deleted
        UNION ALL SELECT message, 1 FROM unnest(replaced) AS r (message)
        UNION ALL SELECT message, n FROM unnest(p_message, p_n) AS r (message, n)),
    summed AS (SELECT message, least(sum(n), 1000000000)::integer AS n FROM given_back GROUP BY message)
    SELECT (SELECT count(*) FROM deleted), array_agg(message), array_agg(n) INTO rows, released, counts FROM summed;

    IF cardinality(gone) > 0 THEN
        DELETE FROM broker_subscription WHERE session = ANY (gone);
        GET DIAGNOSTICS changed = ROW_COUNT;
        rows := rows + changed;
        DELETE FROM broker_inbound WHERE session = ANY (gone);
        GET DIAGNOSTICS changed = ROW_COUNT;
        rows := rows + changed;
        DELETE FROM broker_replay WHERE session = ANY (gone);
        GET DIAGNOSTICS changed = ROW_COUNT;
        rows := rows + changed;
        DELETE FROM broker_session WHERE number = ANY (gone);
        GET DIAGNOSTICS changed = ROW_COUNT;
        rows := rows + changed;
    END IF;

    IF cardinality(released) > 0 THEN
        rows := rows + broker_release(released, counts);
    END IF;

    RETURN rows;
END
$$;

INSERT INTO broker_schema (name, version) VALUES ('broker', 2)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
