-- groups, version 1
-- Whether anybody is left in the group of a shared subscription is asked by its filter, for each group that has lost its last
-- member. Only those filters are indexed: other subscriptions do not pay for it.
CREATE INDEX IF NOT EXISTS broker_subscription_group ON broker_subscription (filter_key)
    WHERE filter LIKE '$share/%' OR filter LIKE '$queue/%';

INSERT INTO broker_schema (name, version) VALUES ('groups', 1)
    ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now();
