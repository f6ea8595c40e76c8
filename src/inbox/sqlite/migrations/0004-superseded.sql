-- Tells a claim whether a newer entry of the same object was handled.
CREATE INDEX entry_handled_object ON entry (object_id) WHERE state = 'handled' AND reason IS NULL AND object_id IS NOT NULL;
