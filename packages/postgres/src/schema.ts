import { EscapementError } from '@escapement/core'
import type { Client } from './client.ts'

/** Each entry leads from one version to the next. Entries are never changed, only added. */
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
 * Brings the schema to the newest version. Safe when many instances do so at once: each step is one statement
 * under a lock of the table of versions.
 *
 * @throws ERR_ESCAPEMENT_STORE when it is newer than we know
 */
export async function migrate(
  client: Client,
  schema: string,
  steps: readonly string[] = migrations,
): Promise<void> {
  // Looked at first: a role may use what is there, but not be allowed to make it.
  const there = 'SELECT to_regnamespace($1) AS schema, to_regclass($2) AS versions'
  const [found] = await client.query(there, [`"${schema}"`, `"${schema}".versions`])
  if (found?.schema === null) await client.patient(`CREATE SCHEMA IF NOT EXISTS "${schema}"`)
  if (found?.versions === null) {
    await client.patient(
      'CREATE TABLE IF NOT EXISTS $.versions (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())',
    )
  }
  const [row] = await client.query('SELECT coalesce(max(version), 0) AS version FROM $.versions')
  const version = Number(row?.version)
  if (version > steps.length) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_STORE',
      `the schema ${schema} has version ${version}, but this program knows it up to version ${steps.length} only: use a newer one`,
    )
  }
  for (let next = version + 1; next <= steps.length; next++) {
    await client.patient(`
      DO $migrate$ BEGIN
        LOCK TABLE $.versions IN ACCESS EXCLUSIVE MODE;
        IF NOT EXISTS (SELECT 1 FROM $.versions WHERE version = ${next}) THEN
          ${steps[next - 1]}
          INSERT INTO $.versions (version) VALUES (${next});
        END IF;
      END $migrate$`)
  }
}
