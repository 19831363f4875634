-- items, version 1
-- Small things of the brokers' own that outlive them and belong to no session: alarms.
--
-- rank: a row is replaced by one of the same or a higher rank only, whatever the order of the writes.
CREATE TABLE IF NOT EXISTS broker_item (
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    rank integer NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (kind, key)
);

INSERT INTO broker_schema (name, version) VALUES ('items', 1)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
