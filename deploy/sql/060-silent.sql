-- silent, version 1
-- How many living silos do not answer a silo: of two that do not reach each other, the one with more leaves.
ALTER TABLE broker_silo ADD COLUMN IF NOT EXISTS silent integer NOT NULL DEFAULT 0;

INSERT INTO broker_schema (name, version) VALUES ('silent', 1)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
