-- One entry's way to one target. It keeps its entry, body included, until it is delivered or dropped.
CREATE TABLE forward (
  seq        INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
  target     TEXT NOT NULL,
  lane       TEXT,                             -- its entry's, where the target keeps the order of each
  hops       INTEGER NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('pending', 'running', 'delivered', 'dead', 'held', 'dropped')),
  -- 0: waits for another of its lane, and is not looked at until that one settles.
  ready      INTEGER NOT NULL DEFAULT 1,
  due_at     INTEGER NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  replays    INTEGER NOT NULL DEFAULT 0,
  owner      TEXT,                             -- of the lease
  started_at INTEGER,
  settled_at INTEGER,
  reason     TEXT,
  PRIMARY KEY (seq, target)
) STRICT, WITHOUT ROWID;
-- What a claim reads: its cost does not grow with what other targets wait for, what waits for its lane, nor what was delivered.
CREATE INDEX forward_open ON forward (state, target, ready, due_at) WHERE state <> 'delivered';
-- What is pending or running of a lane: finds what others wait for, and the next when it settles.
CREATE INDEX forward_lane ON forward (target, lane, seq) WHERE lane IS NOT NULL AND settled_at IS NULL;
-- Never two running forwards of one lane to one target, whatever the code does.
CREATE UNIQUE INDEX forward_running_lane ON forward (target, lane) WHERE lane IS NOT NULL AND owner IS NOT NULL;
-- What failed, to be grouped by cause; a forward that goes well is never in it.
CREATE INDEX forward_failing ON forward (target, due_at) WHERE reason IS NOT NULL;

CREATE TABLE forward_attempt (
  seq        INTEGER NOT NULL,
  target     TEXT NOT NULL,
  replay     INTEGER NOT NULL,
  number     INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER NOT NULL,
  outcome    TEXT NOT NULL CHECK (outcome IN ('delivered', 'retried', 'dead', 'lost')),
  status     INTEGER,
  error      TEXT,
  answer     TEXT,
  PRIMARY KEY (seq, target, replay, number),
  FOREIGN KEY (seq, target) REFERENCES forward ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- The same of attempts.
CREATE INDEX forward_attempt_failed ON forward_attempt (target, ended_at) WHERE outcome <> 'delivered';

-- How each target does.
CREATE TABLE target (
  name    TEXT PRIMARY KEY,
  state   TEXT NOT NULL,                       -- JSON
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
