-- What was replied to a request that wanted an answer: JSON's null until it is known, and NULL for everything else.
ALTER TABLE entry ADD COLUMN decision jsonb;
