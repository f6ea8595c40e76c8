-- What was replied to a request that wanted an answer, as JSON in the order that it was written in: `null` until it is known, and NULL for
-- everything else. No jsonb, which changes the order and takes not every text.
ALTER TABLE entry ADD COLUMN decision text;
