-- schema, version 1
-- What is here, and in which version. Each script is run whole when its version here is lower than its own; all of them can
-- be run again without harm, by the broker at its start or by hand (psql -f, in the order of their numbers).
CREATE TABLE IF NOT EXISTS broker_schema (
    name text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO broker_schema (name, version) VALUES ('schema', 1)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
