-- replays, version 1
-- A replay of retained messages that is resumed after a restart, or on another silo, leaves out what has reached its subscription
-- live since it began.
--
-- up_to: highest id among the messages that it began with; NULL in a row that an earlier version has written.
ALTER TABLE broker_replay ADD COLUMN IF NOT EXISTS up_to uuid;

INSERT INTO broker_schema (name, version) VALUES ('replays', 1)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
