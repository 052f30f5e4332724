import { EscapementError } from '@escapement/core'
import type { Client } from './client.ts'
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
]

/**
 * Brings the schema to the newest version. Safe when many instances do so at once: each step is one statement
 * under a lock of the table of versions.
 *
 * @throws ERR_ESCAPEMENT_STORE when it is newer than we know
 */
export async function migrate(
  client: Client,
  schema: string,
  steps: readonly string[] = migrations,
  more: readonly string[] = additions,
): Promise<void> {
  // Looked at first: a role may use what is there, but not be allowed to make it.
  const there =
    'SELECT to_regnamespace($1) AS schema, to_regclass($2) AS versions, to_regclass($3) AS additions'
  const names = [`"${schema}"`, `"${schema}".versions`, `"${schema}".additions`]
  const [found] = await client.query(there, names)
  if (found?.schema === null) await client.patient(`CREATE SCHEMA IF NOT EXISTS "${schema}"`)
  for (const table of ['versions', 'additions']) {
    if (found?.[table] !== null) continue
    await client.patient(
      `CREATE TABLE IF NOT EXISTS $.${table} (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`,
    )
  }
  const version = await reached(client, 'versions')
  if (version > steps.length) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_STORE',
      `the schema ${schema} has version ${version}, but this program knows it up to version ${steps.length} only: use a newer one`,
    )
  }
  await take(client, 'versions', steps)
  // The schema of a newer program may have more of them.
  await take(client, 'additions', more)
}

async function reached(client: Client, table: string): Promise<number> {
  const [row] = await client.query(`SELECT coalesce(max(version), 0) AS version FROM $.${table}`)
  return Number(row?.version)
}

async function take(client: Client, table: string, steps: readonly string[]): Promise<void> {
  for (let next = (await reached(client, table)) + 1; next <= steps.length; next++) {
    await client.patient(`
      DO $migrate$ BEGIN
        LOCK TABLE $.${table} IN ACCESS EXCLUSIVE MODE;
        IF NOT EXISTS (SELECT 1 FROM $.${table} WHERE version = ${next}) THEN
          ${steps[next - 1]}
          INSERT INTO $.${table} (version) VALUES (${next});
        END IF;
      END $migrate$`)
  }
}
