-- silos, version 4
-- Which process is which silo, and until when it may act. A silo that cannot renew its time stops acknowledging before
-- the others take its sessions over; together with the epochs in broker_session that is promise 4.
CREATE TABLE IF NOT EXISTS broker_silo (
    owner bigint PRIMARY KEY,
    cluster text NOT NULL,
    address text NOT NULL,
    port integer NOT NULL,
    generation integer NOT NULL,
    alive_until timestamptz NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE INDEX IF NOT EXISTS broker_session_owner ON broker_session (owner);

-- Each silo asks for its own row whenever it renews its time. Commits change another column, and stay off the index.
CREATE INDEX IF NOT EXISTS broker_node_owner ON broker_node (owner);

-- The process that the session was taken over from: a silo that did not get the answer to an adoption finds its sessions by it.
ALTER TABLE broker_session ADD COLUMN IF NOT EXISTS adopted_from bigint;

ALTER TABLE broker_will ADD COLUMN IF NOT EXISTS owner bigint NOT NULL DEFAULT 0;

-- Each silo numbers the retained messages by the time that they have in common; two may be equal.
ALTER TABLE broker_retained DROP CONSTRAINT IF EXISTS broker_retained_number_key;

-- Whether the membership still counts the silo of a process among the living.
CREATE OR REPLACE FUNCTION broker_is_member(p_owner bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM broker_silo s JOIN OrleansMembershipTable m
            ON m.DeploymentId = s.cluster AND m.Address = s.address AND m.Port = s.port AND m.Generation = s.generation
        WHERE s.owner = p_owner AND m.Status BETWEEN 1 AND 5)
$$;

-- Renews the time of a silo; false when it is dead to the others, and must end. Locked first: the second statement sees what
-- whoever has shut the silo out has changed, so of a renewal and broker_fence the second one knows of the first.
CREATE OR REPLACE FUNCTION broker_renew(p_owner bigint, p_time interval) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM broker_silo WHERE owner = p_owner FOR NO KEY UPDATE;
    UPDATE broker_silo SET alive_until = clock_timestamp() + p_time
        WHERE owner = p_owner AND broker_is_member(p_owner) AND EXISTS (SELECT FROM broker_node WHERE owner = p_owner);
    RETURN FOUND;
END
$$;

-- Processes that act no more: out of the membership and out of time. Their transactions are shut out from here on (BR002);
-- one that is under way is waited for, because it holds the row; so is a renewal: what it gives is looked at once more. A transaction
-- whose process was frozen or cut off in the middle of sending it would be waited for until that is back: its connection is ended. Of
-- those that are shut out already nothing is locked.
CREATE OR REPLACE FUNCTION broker_fence() RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    dead bigint[];
    fresh bigint[];
BEGIN
    dead := ARRAY(
        SELECT owner FROM broker_silo WHERE alive_until < clock_timestamp() AND NOT broker_is_member(owner));
    fresh := ARRAY(SELECT owner FROM broker_node WHERE owner = ANY (dead));
    IF cardinality(fresh) > 0 THEN
        BEGIN
            PERFORM pg_terminate_backend(a.pid) FROM pg_stat_activity a, unnest(fresh) AS f (owner)
                WHERE a.application_name LIKE 'broker-writer ' || f.owner || ' %' AND a.xact_start IS NOT NULL
                    AND a.datname = current_database();
        EXCEPTION WHEN insufficient_privilege THEN
            -- Another user's: the server finds out by itself.
            NULL;
        END;

        PERFORM FROM broker_silo WHERE owner = ANY (fresh) ORDER BY owner FOR NO KEY UPDATE;
        dead := ARRAY(
            SELECT owner FROM broker_silo
            WHERE owner = ANY (dead) AND alive_until < clock_timestamp() AND NOT broker_is_member(owner));
        PERFORM FROM broker_node WHERE owner = ANY (dead) ORDER BY number FOR UPDATE;
        UPDATE broker_node SET owner = -owner WHERE owner = ANY (dead);
    END IF;

    RETURN dead;
END
$$;

-- For how many milliseconds a process has been out of its time; 0 when that is not known. In the database's clock, which all have
-- in common.
CREATE OR REPLACE FUNCTION broker_down_for(p_alive_until timestamptz) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT greatest(0, (extract(epoch FROM clock_timestamp() - p_alive_until) * 1000)::bigint)
$$;

-- Takes over sessions of dead processes, some at a time: those that another silo is just taking are left to it. A connection that was
-- open has ended when its process was last in its time, however long ago that is. The first five seconds are not counted: about as
-- long it takes to find a process dead, and for its clients to find another one.
CREATE OR REPLACE FUNCTION broker_adopt(p_owner bigint, p_now bigint, p_limit integer)
RETURNS TABLE (session bigint, former bigint) LANGUAGE plpgsql AS $$
DECLARE
    dead bigint[] := broker_fence();
BEGIN
    RETURN QUERY WITH picked AS (
        SELECT s.number, s.owner FROM broker_session s WHERE s.owner = ANY (dead) LIMIT p_limit FOR UPDATE SKIP LOCKED)
    UPDATE broker_session s SET owner = p_owner, adopted_from = picked.owner, epoch = s.epoch + 1, expires_at = coalesce(s.expires_at,
            CASE WHEN s.expiry_interval < 4294967295
                THEN p_now - greatest(0, broker_down_for(f.alive_until) - 5000) + s.expiry_interval * 1000 END)
        FROM picked LEFT JOIN broker_silo f ON f.owner = picked.owner WHERE s.number = picked.number
        RETURNING s.number, picked.owner;
END
$$;

INSERT INTO broker_schema (name, version) VALUES ('silos', 4)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
