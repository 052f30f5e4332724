// Thousands at one instant: ticks, and what dead instances have left.
import { every, manual } from '@escapement/core'
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
})
afterAll(() => server?.close())

test('3,000 ticks at one instant are all claimed, and the heartbeat goes on', async () => {
  const names = Array.from({ length: 3000 }, (_, i) => `job-${i}`)
  const all = new Fleet(server, 'herd', {
    jobs(scheduler, { begun }) {
      for (const name of names) scheduler.job(name, every('4s'), (run) => void begun.push(run.key))
    },
  })
  fleet = all
  await all.start(2)
  // Of two instants at least.
  await expect.poll(() => all.begun.length, { timeout: 40_000 }).toBeGreaterThanOrEqual(6000)
  await all.stop()
  all.once()
  expect(new Set(all.begun.map((key) => key.split('@')[0])).size).toBe(3000)
  expect(all.settled.filter(({ reason }) => reason === 'claim-unavailable')).toEqual([])
  expect(all.lines).toEqual([])
  expect(await all.rows("SELECT key FROM $.claims WHERE state = 'run'")).toEqual([])
})

/** Claims of an owner that is not there any more. */
async function orphans(all: Fleet, job: string, count: number, rerun: boolean): Promise<void> {
  const sql = `
    INSERT INTO $.claims (key, job, at, trigger, token, start, state, leased, rerun, instance, owner)
    SELECT $1 || '@' || n, $1, now() - n * interval '1 s', 'schedule', $1 || n, 1, 'run', false, $2, 'gone', 'gone'
    FROM generate_series(1, $3::int) n`
  await all.rows(sql, [job, rerun, count])
}

test.each([true, false])(
  '3,000 orphans of jobs that nobody has (rerun: %s) delay a known one by two heartbeats at most',
  async (rerun) => {
    const all = new Fleet(server, `orphans_${rerun}`, {
      heartbeat: 1000,
      lease: 8000,
      jobs(scheduler, { begun }) {
        scheduler.job('z-known', every('1h'), { onAbandoned: 'rerun' }, (run) => void begun.push(run.key))
        scheduler.job('y-told', every('1h'), () => {})
      },
    })
    fleet = all
    await all.start(2)
    await orphans(all, 'unknown', 3000, rerun)
    await orphans(all, 'z-known', 1, true)
    await orphans(all, 'y-told', 1, false)
    await expect.poll(() => all.begun.length, { timeout: 3000 }).toBe(1)
    expect(all.abandoned.filter((key) => key.startsWith('y-told'))).toHaveLength(1)
    // Those that nobody runs again are ended meanwhile.
    const left = () => all.rows("SELECT key FROM $.claims WHERE job = 'unknown' AND state = 'run'")
    await expect.poll(async () => (await left()).length, { timeout: 3000 }).toBe(rerun ? 3000 : 0)
    expect(all.abandoned.filter((key) => !key.startsWith('unknown'))).toHaveLength(2)
  },
)

test('what is left of runs of a removed job that were asked for by hand ends', async () => {
  const all = new Fleet(server, 'asked', {
    jobs: (scheduler) => void scheduler.job('a', manual(), () => {}),
  })
  fleet = all
  await all.start(2)
  await all.rows(`
    INSERT INTO $.claims (key, job, at, trigger, token, start, state, leased, rerun, instance, owner)
    SELECT 'removed#' || n, 'removed', now(), 'manual', 't' || n, 1, 'run', n = 1, false, 'gone', 'gone'
    FROM generate_series(1, 20) n`)
  await expect
    .poll(() => all.rows("SELECT key FROM $.claims WHERE state = 'run'"), { timeout: 3000 })
    .toEqual([])
})

test('what died with a job that ends its process is reported before that job is run again', async () => {
  let told: string[] | undefined
  const all = new Fleet(server, 'poison', {
    jobs(scheduler, { abandoned }) {
      scheduler.job('a-poison', every('1h'), { onAbandoned: 'rerun' }, () => {
        told ??= abandoned.map((key) => String(key.split('@')[0]))
      })
      scheduler.job('y-told', every('1h'), () => {})
    },
  })
  fleet = all
  await all.start(1)
  await orphans(all, 'a-poison', 1, true)
  await orphans(all, 'y-told', 1, false)
  await expect.poll(() => told, { timeout: 3000 }).toEqual(['y-told', 'a-poison'])
})
