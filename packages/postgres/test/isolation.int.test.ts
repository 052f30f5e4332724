// What a database makes of a transaction by its defaults is no answer to who runs a tick.
import { setTimeout as sleep } from 'node:timers/promises'
import { every } from '@escapement/core'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Fleet } from './fleet.ts'
import { type Server, startServer } from './server.ts'

let server: Server
let fleet: Fleet | undefined
beforeAll(async () => {
  server = await startServer()
})
afterEach(async () => {
  await fleet?.stop()
  fleet = undefined
  await server.pool({ max: 1 }).query('ALTER ROLE postgres RESET ALL')
})
afterAll(() => server?.close())

const JOBS = Array.from({ length: 50 }, (_, i) => `job-${i}`)

function fiftyJobs(schema: string): Fleet {
  fleet = new Fleet(server, schema, {
    heartbeat: 500,
    lease: 8000,
    jobs(scheduler, { begun }) {
      for (const name of JOBS)
        scheduler.job(name, every('1s'), async (run) => {
          begun.push(run.key)
          await sleep(20)
        })
    },
  })
  return fleet
}

/** Each second of each job between the first that all have begun and the last. */
function complete(keys: readonly string[]): void {
  const seconds = new Map(JOBS.map((job) => [job, new Set<number>()]))
  for (const key of keys) {
    const [job, at] = key.split('@') as [string, string]
    seconds.get(job)?.add(Date.parse(at))
  }
  for (const [job, of] of seconds) {
    const [first, last] = [Math.min(...of), Math.max(...of)]
    expect(`${job}: ${of.size}`).toBe(`${job}: ${(last - first) / 1000 + 1}`)
  }
}

test.each(['serializable', 'repeatable read'])(
  'under %s as the default every tick runs once, and the history is complete',
  async (level) => {
    await server.pool({ max: 1 }).query(`ALTER ROLE postgres SET default_transaction_isolation TO '${level}'`)
    const all = fiftyJobs(level.slice(0, 6))
    const { begun, settled, lines } = all
    await all.start(3)
    await expect.poll(() => begun.length, { timeout: 40_000 }).toBeGreaterThan(50 * 6)
    await all.stop()
    all.once()
    complete(begun)
    expect(settled.filter(({ reason }) => reason === 'claim-unavailable')).toEqual([])
    expect(lines).toEqual([])
    const kept = await all.rows("SELECT key FROM $.runs WHERE state = 'succeeded'")
    expect(kept.map(({ key }) => String(key)).toSorted()).toEqual(begun.toSorted())
  },
)

test('deadlocks with other sessions are tried again', async () => {
  const all = fiftyJobs('deadlocks')
  await server.pool({ max: 1 }).query("ALTER ROLE postgres SET deadlock_timeout = '20ms'")
  await all.start(2)
  const session = server.pool({ max: 2 })
  const deadlocks = async () => {
    const { rows } = await session.query('SELECT sum(deadlocks)::int AS count FROM pg_stat_database')
    return Number(rows[0]?.count)
  }
  const before = await deadlocks()
  let open = true
  // Takes the fences in the opposite order: in the server, so that it holds them no longer when this process is slow.
  const jobs = JOBS.toSorted().toReversed().slice(0, 10)
  const take = `DO $$ DECLARE name text; BEGIN
    FOREACH name IN ARRAY ARRAY['${jobs.join("','")}'] LOOP
      PERFORM value FROM deadlocks.fences WHERE job = name FOR UPDATE;
      PERFORM pg_sleep(0.004);
    END LOOP; END $$`
  const other = (async () => {
    const client = await session.connect()
    // The fleet finds the deadlock first, and is the one that has to try again.
    await client.query("SET deadlock_timeout = '5s'")
    while (open) {
      await client.query(take).catch(() => {})
      await sleep(20)
    }
    client.release()
  })()
  await expect.poll(deadlocks, { timeout: 40_000 }).toBeGreaterThan(before + 2)
  open = false
  await other
  await all.stop()
  all.once()
  complete(all.begun)
  expect(all.settled.filter(({ reason }) => reason === 'claim-unavailable')).toEqual([])
})

/** Ends the connections that were made before now: they have the settings of before. */
async function endOlder(admin: pg.Pool): Promise<void> {
  const { rows } = await admin.query('SELECT clock_timestamp()::text AS now')
  const older = async () => {
    const text = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND backend_start < $1`
    return (await admin.query(text, [rows[0]?.now])).rowCount
  }
  await expect.poll(older, { timeout: 20_000 }).toBe(0)
}

test.each([
  ['default_transaction_read_only', 'on', 'read-only transaction'],
  ['statement_timeout', '1ms', 'statement timeout'],
])('a role with %s = %s: one clear line, and it heals', async (name, value, text) => {
  const all = fiftyJobs(`role_${name.slice(0, 5)}`)
  await all.start(1)
  await all.works(JOBS.slice(0, 2))
  const admin = server.pool({ max: 1 })
  await admin.query(`ALTER ROLE postgres SET ${name} TO '${value}'`)
  await endOlder(admin)
  const found = () => all.lines.filter((line) => line.startsWith('postgres fails:'))
  await expect.poll(found, { timeout: 8000 }).toHaveLength(1)
  const degraded = () => all.members[0]?.health().degraded
  await expect.poll(degraded, { timeout: 8000 }).toContainEqual(expect.stringContaining(text))
  expect(all.members[0]?.health().live).toBe(true)
  await admin.query(
    `SET default_transaction_read_only = off; SET statement_timeout = 0; ALTER ROLE postgres RESET ALL`,
  )
  await endOlder(admin)
  await all.works(JOBS.slice(0, 2), 12_000)
  expect(found()).toHaveLength(1)
  expect(all.lines.filter((line) => line.startsWith('postgres works again'))).toHaveLength(1)
})

test('under a short lock_timeout of the database a table that is held for a second costs no tick', async () => {
  await server.pool({ max: 1 }).query("ALTER ROLE postgres SET lock_timeout = '50ms'")
  const all = fiftyJobs('impatient')
  await all.start(2)
  await all.works(JOBS.slice(0, 2))
  const session = await server.pool({ max: 1 }).connect()
  await session.query('SET lock_timeout = 0; BEGIN; LOCK TABLE impatient.claims IN ACCESS EXCLUSIVE MODE')
  // Time is the subject.
  await sleep(1000)
  await session.query('COMMIT')
  session.release()
  await all.works(JOBS)
  await all.stop()
  all.once()
  complete(all.begun)
  expect(all.settled.filter(({ reason }) => reason === 'claim-unavailable')).toEqual([])
  expect(all.lines).toEqual([])
})
