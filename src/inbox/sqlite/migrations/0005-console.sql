-- What an event can be found by beside its facts; it goes with its entry.
CREATE TABLE value (
  value TEXT NOT NULL,
  seq   INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
  PRIMARY KEY (value, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX value_seq ON value (seq);

-- What a process counted, about once a minute.
CREATE TABLE figures (
  at      INTEGER NOT NULL,
  counted TEXT NOT NULL                        -- JSON
) STRICT;
CREATE INDEX figures_at ON figures (at);

-- What people did here, from the console or the command line.
CREATE TABLE action (
  id    INTEGER PRIMARY KEY,
  at    INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'cancelled', 'failed')),
  facts TEXT NOT NULL                          -- JSON
) STRICT;
-- Asked for every second: what runs is few.
CREATE INDEX action_state ON action (state, id);
