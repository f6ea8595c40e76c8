-- What was replied to a request that wanted an answer, as JSON: `null` until it is known, and NULL for everything else.
ALTER TABLE entry ADD COLUMN decision TEXT;
