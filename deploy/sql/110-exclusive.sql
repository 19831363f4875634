-- exclusive, version 1
-- Who holds an exclusive subscription ($exclusive/FILTER): one client in the cluster, decided here before its session subscribes.
--
-- filter_key: as in broker_subscription. holder: number of the session; of one that is not durable a number that no other has. owner:
-- process that has claimed it. is_stored: the holder's row in broker_subscription came with the same transaction, and decides from
-- then on, whichever process has the session; until then, and for sessions that are not durable, the owner's life does.
CREATE TABLE IF NOT EXISTS broker_exclusive (
    filter_key uuid PRIMARY KEY,
    filter text COLLATE "C" NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    holder bigint NOT NULL,
    owner bigint NOT NULL,
    is_stored boolean NOT NULL DEFAULT false
);

-- Whether a claim still holds. To be asked by a statement of its own, after the row is locked: what came with the last change of the
-- row has to be visible.
CREATE OR REPLACE FUNCTION broker_holds_exclusive(p_filter_key uuid, p_holder bigint, p_owner bigint, p_is_stored boolean)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_is_stored
        THEN EXISTS (SELECT FROM broker_subscription WHERE session = p_holder AND filter_key = p_filter_key)
        ELSE EXISTS (
            SELECT FROM broker_silo s WHERE s.owner = p_owner AND (s.alive_until >= clock_timestamp() OR broker_is_member(s.owner)))
        END
$$;

-- Claims a filter for a session; false when another client holds it. Of two that ask at the same time one waits for the other's row.
CREATE OR REPLACE FUNCTION broker_claim_exclusive(
    p_filter_key uuid, p_filter text, p_client text, p_holder bigint, p_owner bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        INSERT INTO broker_exclusive (filter_key, filter, client_id, holder, owner)
            VALUES (p_filter_key, p_filter, p_client, p_holder, p_owner) ON CONFLICT (filter_key) DO NOTHING;
        IF FOUND THEN
            RETURN true;
        END IF;

        PERFORM FROM broker_exclusive WHERE filter_key = p_filter_key FOR UPDATE;
        IF FOUND THEN
            UPDATE broker_exclusive e
                SET client_id = p_client, holder = p_holder, owner = p_owner, is_stored = e.is_stored AND e.holder = p_holder
                WHERE e.filter_key = p_filter_key AND (e.holder = p_holder OR e.client_id = p_client
                    OR NOT broker_holds_exclusive(e.filter_key, e.holder, e.owner, e.is_stored));
            RETURN FOUND;
        END IF;
    END LOOP;
END
$$;

-- Removes claims that hold no more: of sessions that have ended, and of processes that are gone. They are in nobody's way.
CREATE OR REPLACE FUNCTION broker_purge_exclusive() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    candidates uuid[];
    removed integer;
BEGIN
    -- Locked first and looked at after, by a new statement: see above.
    candidates := ARRAY(
        SELECT e.filter_key FROM broker_exclusive e
        WHERE NOT broker_holds_exclusive(e.filter_key, e.holder, e.owner, e.is_stored) FOR UPDATE SKIP LOCKED);
    DELETE FROM broker_exclusive e WHERE e.filter_key = ANY (candidates)
        AND NOT broker_holds_exclusive(e.filter_key, e.holder, e.owner, e.is_stored);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;

INSERT INTO broker_schema (name, version) VALUES ('exclusive', 1)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
