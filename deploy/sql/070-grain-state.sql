-- grain state, version 1
-- State of grains, for Microsoft.Orleans.Persistence.AdoNet: it reads its statements from OrleansQuery at its start and relies
-- on the names of keys, parameters and columns only. No grain of the broker itself has state; extensions may.
--
-- One row for each grain and state name, found by one key over all parts of its identity, which may each be of any length. Of
-- two first writers one inserts the row; the other gets back what it has sent, which the provider takes for an
-- inconsistent state, as it does for an update whose version is not the row's.
CREATE TABLE IF NOT EXISTS broker_grain_state (
    key bytea PRIMARY KEY,
    service text NOT NULL,
    name text NOT NULL,
    id0 bigint NOT NULL,
    id1 bigint NOT NULL,
    id_text text,
    version integer NOT NULL,
    modified_at timestamptz NOT NULL DEFAULT now(),
    payload bytea
) WITH (fillfactor = 80);

CREATE OR REPLACE FUNCTION broker_grain_key(p_service text, p_name text, p_id0 bigint, p_id1 bigint, p_id_text text)
RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(jsonb_build_array(p_service, p_name, p_id0, p_id1, p_id_text)::text, 'UTF8'))
$$;

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES
('ReadFromStorageKey', '
    SELECT payload AS PayloadBinary, NULL::xml AS PayloadXml, NULL::text AS PayloadJson, version AS Version
    FROM broker_grain_state
    WHERE key = broker_grain_key(@ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString)'),
('WriteToStorageKey', '
    WITH updated AS (
        UPDATE broker_grain_state SET payload = @PayloadBinary, version = version + 1, modified_at = now()
        WHERE key = broker_grain_key(@ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString)
            AND version = @GrainStateVersion::integer
        RETURNING version),
    inserted AS (
        INSERT INTO broker_grain_state (key, service, name, id0, id1, id_text, version, payload)
        SELECT broker_grain_key(@ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString),
            @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString, 1, @PayloadBinary
        WHERE @GrainStateVersion::integer IS NULL
        ON CONFLICT (key) DO NOTHING
        RETURNING version)
    SELECT coalesce((SELECT version FROM updated), (SELECT version FROM inserted), @GrainStateVersion::integer)
        AS NewGrainStateVersion'),
('ClearStorageKey', '
    UPDATE broker_grain_state SET payload = NULL, version = version + 1, modified_at = now()
    WHERE key = broker_grain_key(@ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString)
        AND version = @GrainStateVersion::integer
    RETURNING version AS NewGrainStateVersion'),
('DeleteStorageKey', '
    DELETE FROM broker_grain_state
    WHERE key = broker_grain_key(@ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString)
        AND version = @GrainStateVersion::integer
    RETURNING version + 1 AS NewGrainStateVersion')
ON CONFLICT (QueryKey) DO UPDATE SET QueryText = excluded.QueryText;

INSERT INTO broker_schema (name, version) VALUES ('grain state', 1)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
