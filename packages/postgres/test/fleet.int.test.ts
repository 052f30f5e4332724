import { setTimeout as sleep } from 'node:timers/promises'
import { at, createScheduler, manual, type Run, type Scheduler } from '@escapement/core'
import { type PostgresOptions, postgres } from '@escapement/postgres'
import { liveRun } from '@escapement/testing'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Client } from '../src/client.ts'
import { migrate } from '../src/migrate.ts'
import { migrations, additions as realAdditions } from '../src/schema.ts'
import { type Server, startServer } from './server.ts'

let server: Server
let pool: pg.Pool
let all: Scheduler[] = []
beforeAll(async () => {
  server = await startServer()
  pool = server.pool({ max: 30 })
})
afterEach(async () => {
  await Promise.all(all.map((one) => one.stop({ grace: 0 })))
  all = []
})
afterAll(() => server?.close())

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

function instance(schema: string, options: Partial<PostgresOptions> = {}): Scheduler {
  const plugins = [postgres({ pool, schema, heartbeat: 100, lease: 2000, ...options })]
  const scheduler = createScheduler({ plugins, timezone: 'UTC', logger: quiet, instance: `i${all.length}` })
  all.push(scheduler)
  return scheduler
}

async function one(sql: string, values: unknown[] = []): Promise<Record<string, unknown>> {
  const { rows } = await pool.query(sql, values)
  return rows[0] as Record<string, unknown>
}

test('ten instances that start at once on an empty database make the schema once', async () => {
  const fleet = Array.from({ length: 10 }, () => instance('fresh'))
  await Promise.all(fleet.map((scheduler) => scheduler.start()))
  expect(await one('SELECT count(*)::int AS count, max(version) AS version FROM fresh.versions')).toEqual({
    count: migrations.length,
    version: migrations.length,
  })
})

test('ten instances that bring an older schema forward do each step once, and keep what is there', async () => {
  const first = instance('older')
  first.job('a', manual(), () => {})
  await first.start()
  await first.run('a', undefined, { wait: true })
  await first.stop()
  const steps = [...migrations, 'ALTER TABLE $.runs ADD COLUMN more integer NOT NULL DEFAULT 7;']
  await Promise.all(
    Array.from({ length: 10 }, () => migrate(new Client(pool, 'older', 10_000), 'older', steps)),
  )
  expect(await one('SELECT job, state, more FROM older.runs')).toEqual({
    job: 'a',
    state: 'succeeded',
    more: 7,
  })
  await expect(instance('older').start()).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_STORE',
    message: expect.stringContaining('use a newer one'),
  })
})

test('a program starts on a schema to which a newer one has added columns', async () => {
  const more = [
    'ALTER TABLE $.jobs ADD COLUMN more integer NOT NULL DEFAULT 7;',
    'CREATE TABLE $.other (a int);',
  ]
  const bring = (additions: readonly string[]) =>
    migrate(new Client(pool, 'added', 10_000), 'added', migrations, additions)
  await Promise.all(Array.from({ length: 10 }, () => bring([...realAdditions, ...more])))
  const older = instance('added')
  older.job('a', manual(), () => {})
  await older.start()
  await older.run('a', undefined, { wait: true })
  await older.stop()
  expect(await one('SELECT name, more FROM added.jobs')).toEqual({ name: 'a', more: 7 })
})

test('a role that may not make schemas can use one that it owns', async () => {
  await pool.query('CREATE ROLE small LOGIN; CREATE SCHEMA owned AUTHORIZATION small')
  const small = server.pool({ user: 'small' })
  const scheduler = instance('owned', { pool: small })
  scheduler.job('a', manual(), () => {})
  await scheduler.start()
  expect((await scheduler.run('a', undefined, { wait: true })).outcome).toBe('succeeded')
  expect(await scheduler.history()).toHaveLength(1)
  await expect(instance('another', { pool: small }).start()).rejects.toThrow('permission denied')
})

test('ten instances that start together decide each missed tick once', async () => {
  const ended: Run[] = []
  let tell = () => {}
  const succeeded = new Promise<void>((resolve) => {
    tell = resolve
  })
  const start = async () => {
    const scheduler = instance('missed')
    scheduler.on('settled', (run) => void ended.push(run))
    scheduler.on('succeeded', () => tell())
    scheduler.job('hourly', '0 * * * *', () => {})
    await scheduler.start()
    return scheduler
  }
  await (await start()).stop()
  await pool.query(`UPDATE missed.jobs SET decided = now() - interval '5 h'`)
  await Promise.all(Array.from({ length: 10 }, start))
  await succeeded
  await Promise.all(all.map((scheduler) => scheduler.stop()))
  const decided = ended.filter(({ reason }) => reason !== 'claimed-elsewhere')
  expect(decided).toHaveLength(2)
  expect(new Set(decided.map(({ outcome }) => outcome))).toEqual(new Set(['missed', 'succeeded']))
  const [missed] = decided.filter(({ outcome }) => outcome === 'missed')
  expect(missed?.until?.getTime()).toBeGreaterThan(Date.now() - 2 * 3_600_000)
})

test('a pause made on one instance takes effect on the others, with who and why', async () => {
  const [a, b] = [instance('pauses'), instance('pauses')]
  for (const scheduler of [a, b]) {
    scheduler.job('hourly', '0 * * * *', () => {})
    await scheduler.start()
  }
  const paused = new Promise((resolve) => b.on('paused', (_, info) => resolve(info)))
  const resumed = new Promise<void>((resolve) => b.on('resumed', () => resolve()))
  void a.pause('hourly', { by: 'ann', reason: 'flood' })
  expect(await paused).toEqual({ by: 'ann', reason: 'flood' })
  void a.resume('hourly')
  await resumed
  expect(b.get('hourly').paused).toBeUndefined()
})

test('what was read before a pause does not undo it, and of two changes the later one counts', async () => {
  // What is read arrives late.
  let reads = 0
  const slow: PostgresOptions['pool'] = {
    async query(text, values) {
      const found = await pool.query(text, values)
      if (!text.includes('body IS NOT NULL')) return found
      await sleep(60)
      reads++
      return found
    },
  }
  const scheduler = instance('stale', { pool: slow, poll: '50ms' })
  const heard: string[] = []
  for (const name of ['paused', 'resumed'] as const) scheduler.on(name, () => heard.push(name))
  scheduler.job('hourly', '0 * * * *', () => {})
  await scheduler.start()
  for (let i = 0; i < 20; i++) {
    void scheduler.pause('hourly')
    await sleep(37)
    void scheduler.resume('hourly')
    if (i % 2) await sleep(23)
  }
  const before = reads
  await scheduler.pause('hourly')
  await expect.poll(() => reads).toBeGreaterThan(before + 1)
  expect(heard).toEqual([...Array.from({ length: 20 }, () => ['paused', 'resumed']).flat(), 'paused'])
  const { body } = (await one('SELECT body FROM stale.pauses')) as { body: string }
  expect(JSON.parse(body)).toMatchObject({ job: 'hourly' })
})

test('what ends while the server is down is written when it is back', async () => {
  const scheduler = instance('outage', { lock: false })
  const ended = new Promise<Run>((resolve) => scheduler.on('settled', resolve))
  scheduler.job('a', at(new Date(Date.now() + 1_500)), () => {})
  scheduler.job('asked', manual(), () => {})
  await scheduler.start()
  await server.kill()
  const run = await ended
  expect(run.outcome).toBe('succeeded')
  await expect(scheduler.history()).rejects.toThrow()
  // What cannot be kept is not accepted.
  await expect(scheduler.run('asked')).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_UNAVAILABLE',
    status: 503,
  })
  await server.start()
  const kept = () => one('SELECT count(*)::int AS count FROM outage.runs WHERE id = $1', [run.id])
  await expect.poll(kept).toEqual({ count: 1 })
})

test('what an instance writes last is kept whole, though another one looks for runs without an owner', async () => {
  let stopping = false
  let late = 0
  const slow: PostgresOptions['pool'] = {
    async query(text, values) {
      if (stopping && text.includes('greatest(excluded.attempt')) {
        late++
        // Time is the subject: the other one looks meanwhile, more than once.
        await sleep(500)
      }
      return pool.query(text, values)
    },
  }
  const [a, b] = [instance('last', { pool: slow }), instance('last')]
  const begun = new Promise<void>((resolve) => a.on('running', () => resolve()))
  for (const scheduler of [a, b]) await scheduler.start()
  let end = (_result: string) => {}
  a.job('a', manual(), () => new Promise<string>((resolve) => (end = resolve)))
  const { id } = await a.run('a')
  await begun
  await expect.poll(() => one('SELECT state FROM last.runs')).toEqual({ state: 'running' })
  stopping = true
  end('whole')
  await a.stop()
  expect(late).toBe(1)
  expect(await b.find(id)).toMatchObject({ state: 'succeeded', result: 'whole' })
})

test('why attempts failed is kept while others follow', async () => {
  const scheduler = instance('attempts')
  scheduler.job('a', manual(), { retry: { retries: 5, delay: '10m' } }, () => {
    throw new Error('not yet')
  })
  await scheduler.start()
  const waiting = new Promise((resolve) => scheduler.on('waiting-retry', resolve))
  const run = await liveRun(scheduler, 'a')
  await waiting
  const [record] = await scheduler.history({ state: 'running' })
  expect(record).toMatchObject({ id: run.id, attempt: 1, endedAt: undefined, error: { message: 'not yet' } })
  const settled = new Promise((resolve) => scheduler.on('settled', resolve))
  run.cancel()
  await settled
  const [ended] = await scheduler.history()
  expect(ended).toMatchObject({ id: run.id, state: 'cancelled', attempt: 1 })
})

test('options that cannot work are refused at once', () => {
  expect(() => postgres({} as never)).toThrow('pool must be a pool of pg')
  expect(() => postgres({ pool, schema: 'a"b' })).toThrow('schema must be')
  expect(() => postgres({ pool, heartbeat: '15s' })).toThrow('lease must be at least twice the heartbeat')
  expect(() => postgres({ pool, tables: 'x' } as never)).toThrow('there is no postgres() option "tables"')
})
