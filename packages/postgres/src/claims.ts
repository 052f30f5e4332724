import type { Client, Row } from './client.ts'

/** What is asked for: a tick, a manual run, or (`job` begins with `MUTEX`) a named mutex. */
export interface Ask {
  key: string
  job: string
  /** ms */
  at: number
  trigger: string
  token: string
  leased: boolean
  rerun: boolean
  instance: string
  owner: string
}

/** A claim as it is kept. */
export interface Kept {
  key: string
  job: string
  at: number
  trigger: string
  token: string
  start: number
  fence: number | undefined
  rerun: boolean
  instance: string
}

export type Answer =
  | { fence: number }
  | { reason: 'claimed-elsewhere' | 'overlap'; by: string; dead: boolean }
  | { reason: 'unheard' }

/** Begins the `job` of a mutex: no name of a job begins like this. */
export const MUTEX = '\u0001'

// Never below the time in µs, so that it rises over the loss of the table as well. The row is locked until the
// claim is committed: fences rise in the order of the claims.
const FENCED = `
  INSERT INTO $.fences AS f (job, value) SELECT job, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM won
  ON CONFLICT (job) DO UPDATE SET value = greatest(f.value + 1, excluded.value) RETURNING value::text`

// Both unique indexes decide at once: that of the tick, and that of the job's lease.
const CLAIM = `
  WITH won AS (
    INSERT INTO $.claims (key, job, at, trigger, token, start, state, leased, rerun, instance, owner)
    SELECT $1, $2, to_timestamp($3 / 1000.0), $4, $5, 1, 'run', $6, $7, $8, $9
    WHERE EXISTS (SELECT 1 FROM $.instances WHERE owner = $9 AND until > now())
    ON CONFLICT DO NOTHING RETURNING job
  ), fenced AS (${FENCED})
  SELECT value FROM fenced`

const WHY = `
  SELECT c.key = $1 AS same, c.instance, i.owner IS NULL AS dead
  FROM $.claims c LEFT JOIN $.instances i ON i.owner = c.owner AND i.until > now()
  WHERE c.key = $1 OR (c.job = $2 AND c.leased) ORDER BY same DESC LIMIT 1`

// The run that was under way is abandoned in the same moment: nobody else tells of it.
const CLOSED = `
  UPDATE $.runs SET state = 'abandoned', ended = now() WHERE id = $2 AND ended IS NULL AND EXISTS (SELECT 1 FROM won)`

const TAKE_OVER = `
  WITH won AS (
    UPDATE $.claims SET token = $5, start = start + 1, instance = $3, owner = $4
    WHERE key = $1 AND token = $2 AND state = 'run'
      AND EXISTS (SELECT 1 FROM $.instances WHERE owner = $4 AND until > now())
    RETURNING job
  ), closed AS (${CLOSED}), fenced AS (${FENCED})
  SELECT value FROM fenced`

const BURY = `
  WITH won AS (
    UPDATE $.claims SET state = 'abandoned', leased = false WHERE key = $1 AND token = $2 AND state = 'run'
    RETURNING key
  ), closed AS (${CLOSED})
  SELECT key FROM won`

const ORPHANS = `
  SELECT c.key, c.job, (extract(epoch FROM c.at) * 1000)::float8 AS at, c.trigger, c.token, c.start, c.rerun, c.instance,
    r.fence::text AS fence
  FROM $.claims c LEFT JOIN $.instances i USING (owner) LEFT JOIN $.runs r ON r.id = c.token
  WHERE c.state = 'run' AND i.owner IS NULL LIMIT 1000`

/** Takes a claim if nobody has it, and if it is leased, if nobody holds the job. */
export async function claim(client: Client, ask: Ask): Promise<Answer> {
  const { key, job, at, trigger, token, leased, rerun, instance, owner } = ask
  for (let tries = 0; tries < 3; tries++) {
    const [won] = await client.query(CLAIM, [key, job, at, trigger, token, leased, rerun, instance, owner])
    if (won) return { fence: Number(won.value) }
    const [holder] = await client.query(WHY, [key, leased ? job : ''])
    if (holder) {
      const by = String(holder.instance)
      return { reason: holder.same ? 'claimed-elsewhere' : 'overlap', by, dead: holder.dead === true }
    }
    // Nobody has it (any more): who was in the way has gone, or our own heartbeat is not there.
  }
  return { reason: 'unheard' }
}

/** Writes the end of a run, if the claim is still its own. */
export async function finish(client: Client, key: string, token: string, outcome: string): Promise<void> {
  await client.query('UPDATE $.claims SET state = $3, leased = false WHERE key = $1 AND token = $2', [
    key,
    token,
    outcome,
  ])
}

/** Leaves a claim to be taken over at once. */
export async function release(client: Client, key: string, token: string): Promise<void> {
  await client.query("UPDATE $.claims SET owner = '' WHERE key = $1 AND token = $2 AND state = 'run'", [
    key,
    token,
  ])
}

/** Leaves a claim as if it had not been taken over: its new run could not begin here. */
export async function undo(client: Client, key: string, token: string): Promise<void> {
  const sql = `UPDATE $.claims SET owner = '', start = start - 1 WHERE key = $1 AND token = $2 AND state = 'run'`
  await client.query(sql, [key, token])
}

export async function forget(client: Client, tokens: readonly string[]): Promise<void> {
  await client.query('DELETE FROM $.claims WHERE token = ANY($1)', [tokens])
}

/** Claims whose process is dead. */
export async function orphans(client: Client): Promise<Kept[]> {
  return (await client.query(ORPHANS)).map(fromRow)
}

/** Gives an orphan to a new start; its fence. Undefined when somebody else was faster. */
export async function takeOver(
  client: Client,
  orphan: Kept,
  by: Pick<Ask, 'token' | 'instance' | 'owner'>,
): Promise<number | undefined> {
  const [won] = await client.query(TAKE_OVER, [orphan.key, orphan.token, by.instance, by.owner, by.token])
  return won && Number(won.value)
}

/** Ends an orphan. False when somebody else was faster. */
export async function bury(client: Client, { key, token }: Kept): Promise<boolean> {
  return (await client.query(BURY, [key, token])).length > 0
}

function fromRow(row: Row): Kept {
  return {
    key: String(row.key),
    job: String(row.job),
    at: Math.round(Number(row.at)),
    trigger: String(row.trigger),
    token: String(row.token),
    start: Number(row.start),
    fence: row.fence === null ? undefined : Number(row.fence),
    rerun: row.rerun === true,
    instance: String(row.instance),
  }
}
