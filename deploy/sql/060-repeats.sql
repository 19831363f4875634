-- repeats, version 1
-- A QoS 2 publish that other silos take part in is repeated by its publisher when its silo dies, through another silo. It keeps
-- its id then, and who has it already is seen here.
--
-- message: id under which the publish has gone to other silos; NULL when this transaction was all there was to do.
ALTER TABLE broker_inbound ADD COLUMN IF NOT EXISTS message uuid;

CREATE INDEX IF NOT EXISTS broker_inbound_message ON broker_inbound (message) WHERE message IS NOT NULL;

-- in_doubt: the id of such a message in a QoS 2 delivery; the row stays, also when the subscriber has acknowledged it, until
-- broker_inbound does not have the id any more.
ALTER TABLE broker_delivery ADD COLUMN IF NOT EXISTS in_doubt uuid;

CREATE INDEX IF NOT EXISTS broker_delivery_in_doubt ON broker_delivery (in_doubt) WHERE in_doubt IS NOT NULL;

INSERT INTO broker_schema (name, version) VALUES ('repeats', 1)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
