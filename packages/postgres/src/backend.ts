import {
  abandonedOf,
  type Backend,
  type ClaimReply,
  type ClaimRequest,
  type ClaimRow,
  type ClosedRun,
  claimOf,
  type End,
  type OwnClaim,
  type Successor,
} from '@escapement/sql-fleet'
import type { Client } from './client.ts'

// Never below the time in µs, so that it rises over the loss of the table as well. The row is locked until the
// claim is committed: fences rise in the order of the claims.
const FENCED = `
  INSERT INTO $.fences AS f (job, value)
  SELECT job, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM won ORDER BY job
  ON CONFLICT (job) DO UPDATE SET value = greatest(f.value + 1, excluded.value) RETURNING job, value`

// Not now(): the statement may have waited for a lock of the table until its owner was dead.
const ALIVE = 'SELECT 1 FROM $.instances WHERE until > clock_timestamp() AND'

// Both unique indexes decide at once: that of the tick, and that of the job's lease. In order: no deadlocks.
const CLAIM = `
  WITH asked AS (
    SELECT * FROM json_to_recordset($1::json)
      AS a(key text, job text, at float8, trigger text, token text, leased boolean, rerun boolean, instance text)
  ), won AS (
    INSERT INTO $.claims (key, job, at, trigger, token, start, state, leased, rerun, instance, owner)
    SELECT key, job, to_timestamp(at / 1000.0), trigger, token, 1, 'run', leased, rerun, instance, $2
    FROM asked WHERE EXISTS (${ALIVE} owner = $2) ORDER BY job, key
    ON CONFLICT DO NOTHING RETURNING job
  ), fenced AS (${FENCED})
  SELECT job, value::text AS value FROM fenced`

const WHY = `
  SELECT DISTINCT ON (a.n) a.n, c.key = a.key AS same, c.instance, i.owner IS NULL AS dead
  FROM json_to_recordset($1::json) AS a(n int, key text, job text)
  JOIN $.claims c ON c.key = a.key OR (c.job = a.job AND c.leased)
  LEFT JOIN $.instances i ON i.owner = c.owner AND i.until > now()
  ORDER BY a.n, same DESC`

// The run that was under way is abandoned in the same moment: no other instance reports it.
const CLOSED = `
  UPDATE $.runs SET state = 'abandoned', ended = now() FROM won WHERE id = won.before AND ended IS NULL`

const TAKE_OVER = `
  WITH won AS (
    UPDATE $.claims SET token = $5, start = start + 1, instance = $3, owner = $4
    WHERE key = $1 AND token = $2 AND state = 'run'
      AND EXISTS (${ALIVE} owner = $4)
    RETURNING job, $2 AS before
  ), closed AS (${CLOSED}), fenced AS (${FENCED})
  SELECT value::text AS value FROM fenced`

// In order: no deadlocks.
const MARK = `
  WITH locked AS (
    SELECT c.key FROM $.claims c JOIN json_to_recordset($1::json) AS g(key text, token text) USING (key, token)
    WHERE c.state = 'run' ORDER BY c.key FOR UPDATE OF c
  ), won AS (
    UPDATE $.claims c SET state = 'abandoned', leased = false, owner = $2
    FROM locked WHERE c.key = locked.key RETURNING c.key, c.token AS before
  ), closed AS (${CLOSED})
  SELECT key FROM won`

const COMPLETE = `
  UPDATE $.claims c SET state = g.outcome, leased = false
  FROM json_to_recordset($1::json) AS g(key text, token text, outcome text)
  WHERE c.key = g.key AND c.token = g.token AND c.state = 'run'`

const DELETE = `
  DELETE FROM $.claims c USING json_to_recordset($1::json) AS g(token text, owner text)
  WHERE c.owner = g.owner AND c.token = g.token AND c.state = 'run' AND c.owner <> ''`

const CLAIM_COLUMNS = `c.key, c.job, (extract(epoch FROM c.at) * 1000)::float8 AS at, c.trigger, c.token, c.start, c.rerun, c.instance, c.owner`

const ORPHANS = `
  SELECT ${CLAIM_COLUMNS}, r.fence::text AS fence
  FROM $.claims c LEFT JOIN $.instances i USING (owner) LEFT JOIN $.runs r ON r.id = c.token
  WHERE c.state = 'run' AND i.owner IS NULL AND c.key > $1 ORDER BY c.key LIMIT $2`

const CLAIMS_OF = `
  SELECT ${CLAIM_COLUMNS}, f.value::text AS fence
  FROM $.claims c LEFT JOIN $.fences f USING (job) WHERE c.state = 'run' AND c.owner = $1`

const CLOSED_COLUMNS = `r.id, r.key, r.job, (extract(epoch FROM r.at) * 1000)::float8 AS at, r.trigger, r.state, r.start,
  r.instance, r.fence::text AS fence`

const CLOSE_RUNS = `
  WITH open AS (
    SELECT r.id, c.state FROM $.runs r
    LEFT JOIN $.instances i USING (owner) LEFT JOIN $.claims c ON c.key = r.key AND c.token = r.id
    WHERE r.ended IS NULL AND r.owner IS NOT NULL AND i.owner IS NULL AND c.state IS DISTINCT FROM 'run'
    FOR UPDATE OF r SKIP LOCKED
  )
  UPDATE $.runs r SET ended = now(), state = coalesce(open.state, 'abandoned') FROM open WHERE r.id = open.id
  RETURNING ${CLOSED_COLUMNS}`

// The process died before it wrote that the run of a request had begun; its claim tells how it has ended.
const CLOSE_REQUESTS = `
  WITH open AS (
    SELECT r.id, c.state FROM $.runs r
    JOIN $.claims c ON c.key = r.key AND c.token = r.id LEFT JOIN $.instances i ON i.owner = c.owner
    WHERE r.state = 'due' AND c.state <> 'run' AND i.owner IS NULL
    FOR UPDATE OF r SKIP LOCKED
  )
  UPDATE $.runs r SET ended = now(), input = NULL, state = open.state FROM open WHERE r.id = open.id
  RETURNING ${CLOSED_COLUMNS}`

/** How often a claim is tried again that was refused by nobody who is there any more. */
const MAX_TRIES = 3

/** The SQL of a fleet in PostgreSQL. */
export class PostgresBackend implements Backend {
  readonly name = 'postgres'
  readonly #client: () => Client
  readonly #lease: number

  constructor(client: () => Client, lease: number) {
    this.#client = client
    this.#lease = lease
  }

  async enlist(owner: string, instance: string, before: string | undefined): Promise<void> {
    const sql = `
      WITH gone AS (DELETE FROM $.instances WHERE owner = $4)
      INSERT INTO $.instances (owner, name, until) VALUES ($1, $2, now() + $3 * interval '1 ms')`
    await this.#client().query(sql, [owner, instance, this.#lease, before ?? ''])
  }

  async heartbeat(owner: string): Promise<boolean> {
    // The new end counts from when it was sent; whether its life is over, from when it is done.
    const sql = `UPDATE $.instances SET until = now() + $2 * interval '1 ms' WHERE owner = $1 AND until > clock_timestamp() RETURNING owner`
    return (await this.#client().query(sql, [owner, this.#lease])).length > 0
  }

  async leave(owner: string): Promise<void> {
    await this.#client().query('DELETE FROM $.instances WHERE owner = $1', [owner])
  }

  async declareDead(): Promise<readonly string[]> {
    const gone = await this.#client().query('DELETE FROM $.instances WHERE until < now() RETURNING name')
    return gone.map(({ name }) => String(name))
  }

  async claim(requests: readonly ClaimRequest[]): Promise<readonly ClaimReply[]> {
    const replies = new Map<ClaimRequest, ClaimReply>()
    // One statement cannot change the fence of a job twice.
    for (const round of roundsOf(requests)) await this.#claim(round, replies)
    return requests.map((request) => replies.get(request) ?? { reason: 'not-alive' })
  }

  async #claim(requests: readonly ClaimRequest[], replies: Map<ClaimRequest, ClaimReply>): Promise<void> {
    let left = requests
    for (let tries = 0; tries < MAX_TRIES && left.length > 0; tries++) {
      const { owner } = left[0] as ClaimRequest
      const won = await this.#client().query(CLAIM, [JSON.stringify(left), owner])
      const fences = new Map(won.map(({ job, value }) => [String(job), Number(value)]))
      for (const request of left) {
        const fence = fences.get(request.job)
        if (fence !== undefined) replies.set(request, { fence })
      }
      const refused = left.filter((request) => !replies.has(request))
      if (refused.length === 0) return
      const asked = refused.map(({ key, job, leased }, n) => ({ n, key, job: leased ? job : '' }))
      for (const { n, same, instance, dead } of await this.#client().query(WHY, [JSON.stringify(asked)])) {
        const reason = same ? 'claimed-elsewhere' : 'overlap'
        replies.set(refused[Number(n)] as ClaimRequest, { reason, by: String(instance), dead: dead === true })
      }
      // The others are held by nobody (any more): who was in the way has gone, or our own heartbeat is not there.
      left = refused.filter((request) => !replies.has(request))
    }
  }

  async complete(ends: readonly End[]): Promise<void> {
    await this.#client().query(COMPLETE, [JSON.stringify(ends)])
  }

  async handOver(key: string, token: string): Promise<void> {
    const sql = "UPDATE $.claims SET owner = '' WHERE key = $1 AND token = $2 AND state = 'run'"
    await this.#client().query(sql, [key, token])
  }

  async returnClaim(key: string, token: string): Promise<void> {
    const sql = `UPDATE $.claims SET owner = '', start = start - 1 WHERE key = $1 AND token = $2 AND state = 'run' AND owner <> ''`
    await this.#client().query(sql, [key, token])
  }

  async deleteClaims(claims: readonly OwnClaim[]): Promise<void> {
    const given = claims.map(({ token, owner }) => ({ token, owner }))
    await this.#client().query(DELETE, [JSON.stringify(given)])
  }

  async claimsOf(owner: string): Promise<readonly ClaimRow[]> {
    return (await this.#client().query(CLAIMS_OF, [owner])).map(claimOf)
  }

  async orphans(after: string, limit: number): Promise<readonly ClaimRow[]> {
    return (await this.#client().query(ORPHANS, [after, limit])).map(claimOf)
  }

  async takeOver(orphan: ClaimRow, { token, instance, owner }: Successor): Promise<number | undefined> {
    const [won] = await this.#client().query(TAKE_OVER, [orphan.key, orphan.token, instance, owner, token])
    return won && Number(won.value)
  }

  async markAbandoned(orphans: readonly ClaimRow[], by: string): Promise<readonly string[]> {
    const given = orphans.map(({ key, token }) => ({ key, token }))
    return (await this.#client().query(MARK, [JSON.stringify(given), by])).map(({ key }) => String(key))
  }

  async markedBy(by: string, keys: readonly string[]): Promise<readonly string[]> {
    const sql = "SELECT key FROM $.claims WHERE key = ANY($1) AND state = 'abandoned' AND owner = $2"
    return (await this.#client().query(sql, [keys, by])).map(({ key }) => String(key))
  }

  async closeRuns(): Promise<readonly ClosedRun[]> {
    const closed = await this.#client().query(CLOSE_RUNS)
    return abandonedOf([...closed, ...(await this.#client().query(CLOSE_REQUESTS))])
  }
}

/** Requests in groups in which each job is met once. */
function roundsOf(requests: readonly ClaimRequest[]): ClaimRequest[][] {
  const rounds: ClaimRequest[][] = []
  const met = new Map<string, number>()
  for (const request of requests) {
    const round = met.get(request.job) ?? 0
    met.set(request.job, round + 1)
    const list = rounds[round]
    if (list) list.push(request)
    else rounds.push([request])
  }
  return rounds
}
