import { fail } from '@escapement/core/plugin'
import { statementsOf } from '@escapement/sql-fleet'

/**
 * How the file came to be as it is: each entry leads from one version to the next, and a program refuses a version that
 * it does not know. Entries are never changed, only added. Times are ms since the epoch.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    decided INTEGER,
    paused TEXT
  ) WITHOUT ROWID;

  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    job TEXT NOT NULL,
    at INTEGER NOT NULL,
    trigger TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    attempt INTEGER NOT NULL,
    start INTEGER NOT NULL,
    started INTEGER,
    ended INTEGER,
    until INTEGER,
    errors TEXT,
    trace TEXT,
    fence INTEGER,
    instance TEXT NOT NULL,
    owner TEXT
  ) WITHOUT ROWID;
  CREATE INDEX runs_job ON runs (job, id);
  CREATE INDEX runs_key ON runs (key);
  CREATE INDEX runs_open ON runs (owner) WHERE ended IS NULL;

  CREATE TABLE claims (
    key TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    at INTEGER NOT NULL,
    trigger TEXT NOT NULL,
    token TEXT NOT NULL,
    start INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    state TEXT NOT NULL,
    leased INTEGER NOT NULL,
    rerun INTEGER NOT NULL,
    instance TEXT NOT NULL,
    owner TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX claims_lease ON claims (job) WHERE leased = 1;
  CREATE INDEX claims_open ON claims (owner) WHERE state = 'run';
  CREATE INDEX claims_at ON claims (at);

  CREATE TABLE instances (
    owner TEXT PRIMARY KEY,
    beat INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE incidents (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE fence (value INTEGER NOT NULL);
  INSERT INTO fence VALUES (0);
  `,
]

/**
 * Steps that the version before does not notice, so that it starts on the file: new tables and indexes, and columns that
 * may be null or have a default. Entries are never changed, only added.
 */
export const additions: readonly string[] = [
  `
  ALTER TABLE runs ADD COLUMN late REAL NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN duration REAL;
  ALTER TABLE runs ADD COLUMN facts TEXT;
  ALTER TABLE runs ADD COLUMN lines TEXT;
  `,
  // `due`, `expires`, `input`, `ask_key` and `ask_digest` are of requests that wait: a request is the row of its run.
  `
  ALTER TABLE runs ADD COLUMN search TEXT;
  ALTER TABLE runs ADD COLUMN ticks INTEGER;
  ALTER TABLE runs ADD COLUMN due INTEGER;
  ALTER TABLE runs ADD COLUMN expires INTEGER;
  ALTER TABLE runs ADD COLUMN input TEXT;
  ALTER TABLE runs ADD COLUMN ask_key TEXT;
  ALTER TABLE runs ADD COLUMN ask_digest TEXT;
  CREATE INDEX runs_state ON runs (state, id);
  CREATE INDEX runs_due ON runs (job) WHERE state = 'due';
  CREATE UNIQUE INDEX runs_asked ON runs (job, ask_key) WHERE ask_key IS NOT NULL;

  CREATE TABLE counters (
    job TEXT NOT NULL,
    day INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (job, day, at)
  ) WITHOUT ROWID;
  CREATE INDEX counters_at ON counters (at);

  ALTER TABLE instances ADD COLUMN seen INTEGER;
  ALTER TABLE instances ADD COLUMN facts TEXT;
  ALTER TABLE instances ADD COLUMN skew INTEGER;
  ALTER TABLE instances ADD COLUMN jobs TEXT;

  CREATE TABLE pauses (job TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID;
  INSERT INTO pauses SELECT name, paused FROM jobs WHERE paused IS NOT NULL;
  CREATE TABLE news (version INTEGER NOT NULL);
  INSERT INTO news VALUES (0);
  CREATE TABLE commands (id TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL, answer TEXT) WITHOUT ROWID;
  CREATE TABLE fleet_events (at INTEGER NOT NULL, instance TEXT NOT NULL, kind TEXT NOT NULL, note TEXT);
  CREATE INDEX fleet_events_at ON fleet_events (at);
  CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    job TEXT,
    run TEXT,
    action TEXT NOT NULL,
    author TEXT,
    body TEXT NOT NULL
  ) WITHOUT ROWID;
  `,
  // For what is rare among many: failures of a job, ticks that did not run, runs that no schedule has made.
  `
  CREATE INDEX runs_failed ON runs (job, id) WHERE state IN ('failed', 'timed-out', 'abandoned', 'lease-lost');
  CREATE INDEX runs_not_run ON runs (job, id) WHERE state IN ('skipped', 'missed');
  CREATE INDEX runs_cause ON runs (trigger, id) WHERE trigger <> 'schedule';
  `,
]

/** Where it stands which additions a file has. */
export const ADDITIONS = 'CREATE TABLE IF NOT EXISTS additions (step INTEGER PRIMARY KEY)'

/**
 * The statements that make the tables of a file, for `sqlite({ migrate: false })`. They are one transaction.
 *
 * @param options `from`: what the file has, as `version.additions`; default `'0.0'`, nothing.
 * @throws ERR_ESCAPEMENT_OPTION
 *
 * @example
 * console.log(schemaSql())
 */
export function schemaSql({ from = '0.0' }: { from?: string } = {}): string {
  const [version, added] = /^\d+\.\d+$/.test(from) ? from.split('.').map(Number) : []
  if (version === undefined || added === undefined)
    return fail('from', 'a version and a number of additions, as 1.2', from)
  const lines = ['PRAGMA journal_mode = WAL;', 'BEGIN EXCLUSIVE;']
  for (const [at, step] of migrations.entries()) {
    if (at >= version) lines.push(...written(step), `PRAGMA user_version = ${at + 1};`)
  }
  lines.push(`${ADDITIONS};`)
  for (const [at, step] of additions.entries()) {
    if (at >= added) lines.push(...written(step), `INSERT INTO additions VALUES (${at + 1});`)
  }
  return [...lines, 'COMMIT;'].join('\n')
}

function written(step: string): string[] {
  return statementsOf(step).map((text) => `${text};`)
}
