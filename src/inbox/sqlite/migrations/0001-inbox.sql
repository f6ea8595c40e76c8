-- Narrow rows of facts and work; the bodies stand apart, so that claims read little and retention drops bodies without touching ids.
CREATE TABLE entry (
  seq            INTEGER PRIMARY KEY,          -- order of arrival
  event_id       TEXT NOT NULL UNIQUE,
  type           TEXT NOT NULL,
  shape          TEXT NOT NULL CHECK (shape IN ('snapshot', 'thin')),
  account        TEXT,
  object_id      TEXT,
  lane           TEXT NOT NULL,
  snapshot_event_id TEXT,                      -- of a thin event: its twin
  livemode       INTEGER,
  api_version    TEXT,
  created_at     INTEGER,                      -- all instants: milliseconds since the Unix epoch
  received_at    INTEGER NOT NULL,
  route          TEXT NOT NULL CHECK (route IN ('account', 'connect')),
  source         TEXT NOT NULL CHECK (source IN ('delivery', 'reconcile')),
  secret         TEXT NOT NULL,                -- position and last four characters
  state          TEXT NOT NULL CHECK (state IN ('pending', 'running', 'handled', 'unhandled', 'parked', 'dead')),
  -- 0: waits for the running entry of its lane, and is not looked at until that one settles.
  ready          INTEGER NOT NULL DEFAULT 1,
  due_at         INTEGER NOT NULL,
  attempts       INTEGER NOT NULL DEFAULT 0,
  replays        INTEGER NOT NULL DEFAULT 0,
  owner          TEXT,                         -- of the lease
  lease_until    INTEGER,
  started_at     INTEGER,
  settled_at     INTEGER,
  reason         TEXT
) STRICT;

CREATE TABLE payload (
  seq  INTEGER PRIMARY KEY REFERENCES entry ON DELETE CASCADE,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE attempt (
  seq        INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
  replay     INTEGER NOT NULL,
  number     INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER NOT NULL,
  outcome    TEXT NOT NULL CHECK (outcome IN ('handled', 'unhandled', 'retried', 'dead', 'lost')),
  error      TEXT,
  PRIMARY KEY (seq, replay, number)
) STRICT, WITHOUT ROWID;

-- What a claim reads, and nothing else: its cost does not grow with what waits for a lane, is retried later, or is settled.
CREATE INDEX entry_due ON entry (due_at) WHERE state = 'pending' AND ready = 1;
-- Never two running entries of one lane, whatever the code does.
CREATE UNIQUE INDEX entry_running_lane ON entry (lane) WHERE state = 'running';
-- Finds what waits in a lane: on arrival, and when the lane's running entry settles.
CREATE INDEX entry_pending_lane ON entry (lane, ready, due_at) WHERE state = 'pending';
-- The states that people look for, and few are in.
CREATE INDEX entry_set_aside ON entry (state, seq) WHERE state IN ('unhandled', 'parked', 'dead');
CREATE INDEX entry_received ON entry (received_at);
CREATE INDEX entry_pending_received ON entry (received_at) WHERE state = 'pending';

CREATE INDEX entry_snapshot_event ON entry (snapshot_event_id) WHERE snapshot_event_id IS NOT NULL;
CREATE INDEX entry_account ON entry (account, type, seq) WHERE account IS NOT NULL;

-- What processes remember, and whose turn it is.
CREATE TABLE note (
  name  TEXT PRIMARY KEY,
  value TEXT,
  owner TEXT,
  until INTEGER
) STRICT;

-- Written to find out whether a store that failed can be written again.
CREATE TABLE write_probe (filler BLOB NOT NULL) STRICT;
