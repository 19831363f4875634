-- delayed, version 1
-- Messages that are to be published at a time ($delayed/SECONDS/TOPIC). A row is there from the acknowledgement of its publisher until
-- every silo that takes part has the message.
--
-- due: milliseconds since 1970. owner: the process that publishes it; a dead one's are taken over like its sessions. message: the id
-- under which it has gone to other silos, or is about to; NULL while it waits. Whoever finds it set publishes a repetition.
CREATE TABLE IF NOT EXISTS broker_delayed (
    id uuid PRIMARY KEY,
    owner bigint NOT NULL,
    due bigint NOT NULL,
    message uuid,
    flags smallint NOT NULL,
    expires_at bigint,
    publisher text COLLATE "C" NOT NULL,
    topic_length integer NOT NULL,
    properties_length integer NOT NULL,
    body bytea NOT NULL
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

ALTER TABLE broker_delayed ALTER COLUMN body SET STORAGE EXTERNAL;

-- What is due is a range of it, in the order in which it is published.
CREATE INDEX IF NOT EXISTS broker_delayed_due ON broker_delayed (owner, due, id);

CREATE INDEX IF NOT EXISTS broker_delayed_message ON broker_delayed (message) WHERE message IS NOT NULL;

-- Takes over messages of dead processes, some at a time: those that another silo is just taking are left to it.
CREATE OR REPLACE FUNCTION broker_adopt_delayed(p_owner bigint, p_limit integer)
RETURNS TABLE (messages integer, bytes bigint) LANGUAGE plpgsql AS $$
DECLARE
    dead bigint[] := broker_fence();
BEGIN
    RETURN QUERY WITH picked AS (
        SELECT d.id FROM broker_delayed d WHERE d.owner = ANY (dead) LIMIT p_limit FOR UPDATE SKIP LOCKED),
    taken AS (
        UPDATE broker_delayed d SET owner = p_owner FROM picked WHERE d.id = picked.id RETURNING length(d.body) AS size)
    SELECT count(*)::integer, coalesce(sum(size), 0)::bigint FROM taken;
END
$$;

INSERT INTO broker_schema (name, version) VALUES ('delayed', 1)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
