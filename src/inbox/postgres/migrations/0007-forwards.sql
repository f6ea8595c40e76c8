-- One entry's way to one target. It keeps its entry, body included, until it is delivered or dropped.
CREATE TABLE forward (
  seq         bigint NOT NULL,
  target      text COLLATE "C" NOT NULL,
  lane        text COLLATE "C",                       -- its entry's, where the target keeps the order of each
  hops        integer NOT NULL,
  state       text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'running', 'delivered', 'dead', 'held', 'dropped')),
  -- False: waits for another of its lane, and is not looked at until that one settles.
  ready       boolean NOT NULL DEFAULT true CHECK (ready OR state = 'pending'),
  due_at      timestamptz NOT NULL,
  attempts    integer NOT NULL DEFAULT 0,
  replays     integer NOT NULL DEFAULT 0,
  owner       text,                                   -- of the lease
  lease_until timestamptz,
  started_at  timestamptz,
  settled_at  timestamptz,
  reason      text,
  PRIMARY KEY (seq, target)
)
WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 10000, vacuum_index_cleanup = on);
-- What a claim reads: its cost does not grow with what other targets wait for, what waits for its lane, nor what was delivered.
CREATE INDEX forward_open ON forward (state, target, ready, due_at, seq) WHERE state <> 'delivered';
-- What is pending or running of a lane: finds what others wait for, and the next when it settles.
CREATE INDEX forward_lane ON forward (target, lane, seq) WHERE lane IS NOT NULL AND settled_at IS NULL;
-- Never two running forwards of one lane to one target, whatever processes do at once.
CREATE UNIQUE INDEX forward_running_lane ON forward (target, lane) WHERE lane IS NOT NULL AND owner IS NOT NULL;
-- Finds leases that ran out.
CREATE INDEX forward_lease ON forward (lease_until) WHERE lease_until IS NOT NULL;
-- What failed, to be grouped by cause; a forward that goes well is never in it.
CREATE INDEX forward_failing ON forward (target, due_at) WHERE reason IS NOT NULL;

CREATE TABLE forward_attempt (
  seq        bigint NOT NULL,
  target     text COLLATE "C" NOT NULL,
  replay     integer NOT NULL,
  number     integer NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at   timestamptz NOT NULL,
  outcome    text NOT NULL CHECK (outcome IN ('delivered', 'retried', 'dead', 'lost')),
  status     integer,
  error      text,
  answer     text,
  PRIMARY KEY (seq, target, replay, number)
);
-- The same of attempts.
CREATE INDEX forward_attempt_failed ON forward_attempt (target, ended_at) WHERE outcome <> 'delivered';

-- How each target does.
CREATE TABLE target (
  name    text COLLATE "C" PRIMARY KEY,
  state   text NOT NULL,                              -- JSON, but no jsonb, which takes not every text
  version integer NOT NULL
);
