-- retained, version 1
-- A topic whose retained message was cleared keeps its row for a while, without a body, so that an older message that is
-- written later does not come back: the id is compared in every write. An update of a message stays off the index.
ALTER TABLE broker_retained ADD COLUMN IF NOT EXISTS cleared_at timestamptz;

CREATE INDEX IF NOT EXISTS broker_retained_cleared ON broker_retained (cleared_at) WHERE cleared_at IS NOT NULL;

INSERT INTO broker_schema (name, version) VALUES ('retained', 1)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
