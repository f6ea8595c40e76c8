-- What people look for on a bad day: all events of an object, and what fails and why. The second holds few.
CREATE INDEX entry_object ON entry (object_id, seq) WHERE object_id IS NOT NULL;
CREATE INDEX entry_failing ON entry (type, seq) WHERE state IN ('pending', 'dead') AND reason IS NOT NULL;
