-- What people look for on a bad day: all events of an object, and what fails and why. The second holds few.
CREATE INDEX entry_object ON entry (object_id, seq) WHERE object_id IS NOT NULL;
CREATE INDEX entry_failing ON entry (type, seq) WHERE state IN ('pending', 'dead') AND reason IS NOT NULL;
-- An account's events in order of arrival, and those by which one leaves, which are few.
DROP INDEX entry_account;
CREATE INDEX entry_account ON entry (account, seq) WHERE account IS NOT NULL;
CREATE INDEX entry_left ON entry (account, seq)
  WHERE type IN ('account.application.deauthorized', 'v1.account.application.deauthorized');
