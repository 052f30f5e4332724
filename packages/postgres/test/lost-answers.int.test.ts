// A statement that took effect though nobody got its answer.
import { setTimeout as sleep } from 'node:timers/promises'
import { every, manual } from '@escapement/core'
import type { PostgresOptions } from '@escapement/postgres'
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

type PoolLike = PostgresOptions['pool']

/** Carries statements out, and loses the answers of the first ones that match; the statement may be late. */
function losing(
  match: RegExp,
  { times = 1, late = 0 } = {},
): PoolLike & { lost: number; readonly done: Promise<unknown>[] } {
  const pool = server.pool({ max: 10 })
  return {
    lost: 0,
    done: [],
    async query(text, values) {
      if (this.lost >= times || !match.test(text)) return pool.query(text, values)
      this.lost++
      if (late > 0) this.done.push(sleep(late).then(() => pool.query(text, values).catch(() => {})))
      else await pool.query(text, values)
      throw new Error('the answer was lost')
    },
  }
}

const TAKE_OVER = /SET token = \$5/
const MARK = /'abandoned', leased/

/** An owner that is not there any more has left these claims. */
async function orphans(all: Fleet, jobs: readonly string[], rerun: boolean, count = 1): Promise<void> {
  const sql = `
    INSERT INTO $.claims (key, job, at, trigger, token, start, state, leased, rerun, instance, owner)
    SELECT job || '@' || at, job, at, 'schedule',
      job || n, 1, 'run', n = 1, $2, 'gone', 'gone' FROM unnest($1::text[]) job, generate_series(1, $3::int) n,
      date_trunc('second', now()) at0, LATERAL (SELECT at0 - n * interval '1 min' AS at) moments`
  await all.rows(sql, [jobs, rerun, count])
}

function newFleet(schema: string): Fleet {
  fleet = new Fleet(server, schema, {
    jobs(scheduler, { begun }) {
      scheduler.job('again', every('1h'), { onAbandoned: 'rerun' }, (run) => void begun.push(run.key))
      scheduler.job('record', every('1h'), (run) => void begun.push(run.key))
      scheduler.job('asked', manual(), () => {})
    },
  })
  return fleet
}

test.each([
  ['lost', 0],
  ['lost, and the statement takes effect a second later', 1000],
])('a take-over whose answer is %s: its run goes on here, and it is reported once', async (_, late) => {
  const all = newFleet(`take_over_${late}`)
  const pool = losing(TAKE_OVER, { late })
  await all.add({ pool })
  await orphans(all, ['again'], true)
  await expect.poll(() => all.begun, { timeout: 6000 }).toHaveLength(1)
  expect(pool.lost).toBe(1)
  await expect
    .poll(async () => (await all.rows("SELECT state FROM $.claims WHERE job = 'again'"))[0]?.state)
    .toBe('succeeded')
  await Promise.all(pool.done)
  await all.beats()
  expect(all.begun).toHaveLength(1)
  expect(all.abandoned).toEqual(all.begun)
})

test.each([
  ['lost', 0, 1],
  ['lost three times', 0, 3],
  ['lost, and the statement takes effect a second later', 1000, 1],
])('an end of a dead run whose answer is %s: it is reported once', async (_, late, times) => {
  const all = newFleet(`mark_${late}_${times}`)
  const pool = losing(MARK, { late, times })
  await all.add({ pool })
  await orphans(all, ['record'], false)
  await expect.poll(() => all.abandoned, { timeout: 6000 }).toHaveLength(1)
  await Promise.all(pool.done)
  await all.beats()
  expect(all.abandoned).toHaveLength(1)
  expect(await all.rows('SELECT state FROM $.claims')).toEqual([{ state: 'abandoned' }])
})

test('of several instances that all lose the answer, one tells', async () => {
  const all = newFleet('mark_many')
  for (let i = 0; i < 3; i++) await all.add({ pool: losing(MARK) })
  await orphans(all, ['record'], false, 20)
  await expect.poll(() => new Set(all.abandoned).size, { timeout: 6000 }).toBe(20)
  await all.beats()
  expect(all.abandoned).toHaveLength(20)
})

test.each([0, 700])('a claim whose answer is lost is not in the way (statement %i ms late)', async (late) => {
  const all = newFleet(`claim_${late}`)
  const pool = losing(/INSERT INTO \$?\S*claims/, { late })
  const scheduler = await all.add({ pool })
  const { settled } = await scheduler.run('asked')
  const works = () =>
    scheduler.run('asked', undefined, { wait: true }).then(
      ({ outcome }) => outcome,
      () => 'no',
    )
  await expect.poll(() => pool.lost).toBe(1)
  await Promise.all(pool.done)
  await expect.poll(works, { timeout: 4000 }).toBe('succeeded')
  await expect
    .poll(() => all.rows("SELECT key FROM $.claims WHERE state = 'run'"), { timeout: 4000 })
    .toEqual([])
  expect(all.abandoned).toEqual([])
  // It waits until the claim is found and taken back.
  expect(await settled).toMatchObject({ outcome: 'succeeded' })
})

test('a claim for the run of a request whose answer is lost takes nothing from the instance that runs it', async () => {
  let end = () => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  const all = new Fleet(server, 'asked_lost', {
    jobs(scheduler, { begun }) {
      scheduler.job('asked', manual(), { overlap: 'allow' }, (run) => {
        begun.push(run.key)
        return over
      })
    },
  })
  fleet = all
  // Until it is written that the run has begun, the others see a request that waits.
  let write = () => {}
  const written = new Promise<void>((resolve) => {
    write = resolve
  })
  const pool = server.pool({ max: 10 })
  const slow: PoolLike = {
    async query(text, values) {
      if (/json_to_recordset[\s\S]*runs \(/.test(text)) await written
      return pool.query(text, values)
    },
  }
  const first = await all.add({ pool: slow })
  await first.run('asked')
  await expect.poll(() => all.begun, { timeout: 6000 }).toHaveLength(1)
  const other = losing(/INSERT INTO [\s\S]*claims/)
  await all.add({ pool: other })
  await expect.poll(() => other.lost, { timeout: 6000 }).toBe(1)
  for (let i = 0; i < 3; i++) await all.beats()
  expect(all.begun).toHaveLength(1)
  write()
  end()
})
