import { COUNTERS } from './counters.ts'

/**
 * Each entry leads from one version to the next, and a program refuses a version that it does not know. Entries are never
 * changed, only added.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE $.jobs (
    name text COLLATE "C" PRIMARY KEY,
    digest text NOT NULL,
    decided timestamptz NOT NULL,
    paused text,
    paused_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX jobs_paused_at ON $.jobs (paused_at);

  CREATE TABLE $.runs (
    id text COLLATE "C" PRIMARY KEY,
    key text COLLATE "C" NOT NULL,
    job text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    trigger text NOT NULL,
    state text NOT NULL,
    reason text,
    attempt integer NOT NULL,
    start integer NOT NULL,
    started timestamptz,
    ended timestamptz,
    until timestamptz,
    errors text,
    trace text,
    fence bigint,
    instance text NOT NULL,
    owner text COLLATE "C"
  );
  CREATE INDEX runs_job ON $.runs (job, id);
  CREATE INDEX runs_key ON $.runs (key);
  CREATE INDEX runs_open ON $.runs (owner) WHERE ended IS NULL;
  CREATE UNIQUE INDEX runs_told ON $.runs (key) WHERE attempt = 0 AND state IN ('skipped', 'missed');

  CREATE TABLE $.claims (
    key text COLLATE "C" PRIMARY KEY,
    job text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    trigger text NOT NULL,
    token text COLLATE "C" NOT NULL,
    start integer NOT NULL,
    state text NOT NULL,
    leased boolean NOT NULL,
    rerun boolean NOT NULL,
    instance text NOT NULL,
    owner text COLLATE "C" NOT NULL
  );
  CREATE UNIQUE INDEX claims_lease ON $.claims (job) WHERE leased;
  CREATE INDEX claims_open ON $.claims (owner) WHERE state = 'run';
  CREATE INDEX claims_at ON $.claims (at);

  CREATE TABLE $.fences (
    job text COLLATE "C" PRIMARY KEY,
    value bigint NOT NULL
  );

  CREATE TABLE $.instances (
    owner text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    until timestamptz NOT NULL
  );

  CREATE TABLE $.incidents (
    key text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    body text NOT NULL
  );
  `,
]

/**
 * Steps that the version before does not notice, so that it starts on the schema: new tables and indexes, and columns that
 * may be null or have a default. Entries are never changed, only added.
 */
export const additions: readonly string[] = [
  `
  ALTER TABLE $.runs ADD COLUMN late float8 NOT NULL DEFAULT 0, ADD COLUMN duration float8,
    ADD COLUMN facts text, ADD COLUMN lines text;
  `,
  // `due`, `expires`, `input`, `ask_key` and `ask_digest` are of requests that wait: a request is the row of its run.
  `
  ALTER TABLE $.runs ADD COLUMN search text, ADD COLUMN ticks integer, ADD COLUMN due bigint, ADD COLUMN expires bigint,
    ADD COLUMN input text, ADD COLUMN ask_key text COLLATE "C", ADD COLUMN ask_digest text;
  CREATE INDEX runs_state ON $.runs (state, id);
  CREATE INDEX runs_due ON $.runs (job) WHERE state = 'due';
  CREATE UNIQUE INDEX runs_asked ON $.runs (job, ask_key) WHERE ask_key IS NOT NULL;

  CREATE TABLE $.counters (
    job text COLLATE "C" NOT NULL,
    day smallint NOT NULL,
    at bigint NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (job, day, at)
  );
  CREATE INDEX counters_at ON $.counters (at);
  ${COUNTERS}

  ALTER TABLE $.instances ADD COLUMN seen bigint, ADD COLUMN facts text, ADD COLUMN skew bigint,
    ADD COLUMN jobs text;

  CREATE TABLE $.pauses (job text COLLATE "C" PRIMARY KEY, body text);
  INSERT INTO $.pauses SELECT name, paused FROM $.jobs WHERE paused IS NOT NULL;
  CREATE TABLE $.news (version bigint NOT NULL);
  INSERT INTO $.news VALUES (0);
  CREATE TABLE $.commands (id text COLLATE "C" PRIMARY KEY, at bigint NOT NULL, body text NOT NULL, answer text);
  CREATE TABLE $.fleet_events (at bigint NOT NULL, instance text NOT NULL, kind text NOT NULL, note text);
  CREATE INDEX fleet_events_at ON $.fleet_events (at);
  CREATE TABLE $.audit (
    id text COLLATE "C" PRIMARY KEY,
    job text,
    run text,
    action text NOT NULL,
    author text,
    body text NOT NULL
  );
  `,
  // For what is rare among many: failures of a job, ticks that did not run, runs that no schedule has made.
  `
  CREATE INDEX runs_failed ON $.runs (job, id) WHERE state IN ('failed', 'timed-out', 'abandoned', 'lease-lost');
  CREATE INDEX runs_not_run ON $.runs (job, id) WHERE state IN ('skipped', 'missed');
  CREATE INDEX runs_cause ON $.runs (trigger, id) WHERE trigger <> 'schedule';
  `,
]
