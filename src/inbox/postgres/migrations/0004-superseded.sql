-- Tells a claim whether a newer entry of the same object was handled. Each handled event writes 5 % more to the log for it.
CREATE INDEX entry_handled_object ON entry (object_id, seq) WHERE state = 'handled' AND reason IS NULL AND object_id IS NOT NULL;
