-- What an event can be found by beside its facts; it goes with its entry.
CREATE TABLE value (
  value text COLLATE "C" NOT NULL,
  seq   bigint NOT NULL,
  PRIMARY KEY (value, seq)
);
CREATE INDEX value_seq ON value (seq);

-- What a process counted, about once a minute.
CREATE TABLE figures (
  at      timestamptz NOT NULL,
  counted jsonb NOT NULL
);
CREATE INDEX figures_at ON figures (at);

-- What people did here, from the console or the command line.
CREATE TABLE action (
  id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at    timestamptz NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'done', 'cancelled', 'failed')),
  facts jsonb NOT NULL
);
-- Asked for every second: what runs is few.
CREATE INDEX action_state ON action (state, id);
