import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { at, createScheduler, manual, type Run } from '@escapement/core'
import { type SqliteOptions, schemaSql, sqlite } from '@escapement/sqlite'
import { VirtualClock } from '@escapement/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../src/file/driver.ts'
import { open } from '../src/file/open.ts'
import { additions, migrations } from '../src/file/schema.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
  file = join(folder, 'deep/jobs.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

describe('the file', () => {
  test('is made with its folder, and brought forward with a copy of how it was', () => {
    const db = open(file)
    db.exec("INSERT INTO jobs (name, digest) VALUES ('a', 'x')")
    db.close()
    expect(existsSync(`${file}.v1.bak`)).toBe(false)
    const newer = [...migrations, 'ALTER TABLE jobs ADD COLUMN more INTEGER DEFAULT 7;']
    const later = open(file, { migrations: newer })
    expect(later.prepare('SELECT name, more FROM jobs').get()).toMatchObject({ name: 'a', more: 7 })
    later.close()
    const backup = open(`${file}.v1.bak`)
    expect(backup.prepare('SELECT name FROM jobs').get()).toMatchObject({ name: 'a' })
    expect(backup.prepare('SELECT count(*) AS n FROM pragma_table_info(?)').get('jobs')).toMatchObject({
      n: 4,
    })
    backup.close()
  })

  test('a step that fails leaves it as it was', () => {
    open(file).close()
    const broken = [...migrations, 'ALTER TABLE jobs ADD COLUMN more INTEGER; CREATE TABLE jobs (a);']
    expect(() => open(file, { migrations: broken })).toThrow('cannot be opened')
    const db = open(file)
    expect(db.prepare('SELECT count(*) AS n FROM pragma_table_info(?)').get('jobs')).toMatchObject({ n: 4 })
    db.close()
  })

  test('a program opens a file to which a newer one has added columns', () => {
    const added = ['ALTER TABLE jobs ADD COLUMN more INTEGER DEFAULT 7;', 'CREATE TABLE other (a);']
    const newer = open(file, { additions: added })
    newer.exec("INSERT INTO jobs (name, digest) VALUES ('a', 'x'); INSERT INTO other VALUES (1)")
    newer.close()
    const older = open(file, { additions: added.slice(0, 1) })
    older.exec("INSERT INTO jobs (name, digest) VALUES ('b', 'x')")
    older.close()
    const again = open(file, { additions: [...added, 'CREATE TABLE third (a);'] })
    expect(again.prepare('SELECT name, more FROM jobs').all()).toMatchObject([
      { name: 'a', more: 7 },
      { name: 'b', more: 7 },
    ])
    expect(again.prepare('SELECT count(*) AS n FROM other, third').get()).toMatchObject({ n: 0 })
    again.close()
  })

  test('with migrate: false an older one is refused with what is missing, and not touched', async () => {
    open(file, { additions: additions.slice(0, 1) }).close()
    const start = async () => {
      const scheduler = createScheduler({ plugins: [sqlite({ file, migrate: false })], logger: quiet })
      await scheduler.start().finally(() => scheduler.stop())
    }
    const columns = 'SELECT count(*) AS n FROM pragma_table_info(?)'
    const before = open(file, { additions: [] })
    const { n } = before.prepare(columns).get('runs') as { n: number }
    await expect(start()).rejects.toMatchObject({
      code: 'ERR_ESCAPEMENT_STORE',
      message: expect.stringMatching(
        /is older than this version needs it.*schema sqlite --sql --from 1\.1.*: ALTER TABLE runs ADD COLUMN search TEXT; .*CREATE TABLE counters/,
      ),
    })
    expect(before.prepare(columns).get('runs')).toMatchObject({ n })
    before.exec(schemaSql({ from: '1.1' }))
    before.close()
    await start()
  })

  test('the statements that are printed make what a start makes', () => {
    const objects = 'SELECT type, name, sql FROM sqlite_master ORDER BY type, name'
    const read = (path: string, from: readonly string[]) => {
      const db = open(path, { additions: from })
      const found = db
        .prepare(objects)
        .all()
        .map((row) => JSON.stringify(row).replaceAll(/\s|\\n/g, ''))
      const steps = db.prepare('SELECT step FROM additions').all()
      db.close()
      return { found, steps }
    }
    const made = read(file, additions)
    const other = join(folder, 'other.db')
    const empty = connect(other)
    empty.exec(schemaSql())
    empty.close()
    expect(read(other, [])).toEqual(made)
  })

  test('a newer one is refused, and not touched', async () => {
    open(file, { migrations: [...migrations, 'CREATE TABLE later (a);'] }).close()
    const scheduler = createScheduler({ plugins: [sqlite({ file })], logger: quiet })
    await expect(scheduler.start()).rejects.toMatchObject({
      code: 'ERR_ESCAPEMENT_STORE',
      message: expect.stringContaining('use a newer one'),
    })
  })

  test('what is not a database is refused', async () => {
    const other = join(folder, 'other.db')
    writeFileSync(
      other,
      'this is a text, and long enough to be looked at as the header of a database file. '.repeat(20),
    )
    const scheduler = createScheduler({ plugins: [sqlite({ file: other })], logger: quiet })
    await expect(scheduler.start()).rejects.toMatchObject({ code: 'ERR_ESCAPEMENT_STORE' })
  })

  test('while another process writes for long, runs go on and their records wait', async () => {
    const scheduler = createScheduler({ plugins: [sqlite({ file, lock: false })], logger: quiet })
    scheduler.job('a', at(new Date(Date.now() + 300)), () => {})
    scheduler.job('asked', manual(), () => {})
    await scheduler.start()
    const other = open(file)
    other.exec('BEGIN IMMEDIATE')
    const run = await new Promise<Run>((resolve) => scheduler.on('settled', resolve))
    expect(run.outcome).toBe('succeeded')
    expect(await scheduler.history()).toEqual([])
    // What cannot be kept is not accepted.
    await expect(scheduler.run('asked')).rejects.toMatchObject({
      code: 'ERR_ESCAPEMENT_UNAVAILABLE',
      status: 503,
    })
    other.exec('COMMIT')
    other.close()
    expect((await scheduler.history()).map(({ id, state }) => ({ id, state }))).toEqual([
      { id: run.id, state: 'succeeded' },
    ])
    await scheduler.stop()
  })
})

test('while another process writes for long, claims are refused in bounded time, and no record is lost', async () => {
  const scheduler = createScheduler({ plugins: [sqlite({ file })], logger: quiet })
  const errors: unknown[] = []
  scheduler.on('error', (error) => void errors.push(error))
  scheduler.job('a', manual(), () => {})
  scheduler.job('tick', at(new Date(Date.now() + 500)), () => {})
  await scheduler.start()
  const other = open(file)
  other.exec('BEGIN IMMEDIATE')
  const settled = new Promise<Run>((resolve) => scheduler.on('settled', resolve))
  const refused = await settled
  expect(refused).toMatchObject({ outcome: 'skipped', reason: 'claim-unavailable' })
  other.exec('COMMIT')
  other.close()
  const run = await scheduler.run('a', undefined, { wait: true })
  expect(run.outcome).toBe('succeeded')
  expect((await scheduler.history()).map(({ id }) => id).toSorted()).toEqual([refused.id, run.id].toSorted())
  expect(errors).toEqual([])
  await scheduler.stop()
})

test('why attempts failed is kept while others follow', async () => {
  const scheduler = createScheduler({ plugins: [sqlite({ file })], logger: quiet })
  scheduler.job('a', manual(), { retry: { retries: 5, delay: '10m' } }, () => {
    throw new Error('not yet')
  })
  await scheduler.start()
  const waiting = new Promise((resolve) => scheduler.on('waiting-retry', resolve))
  const run = await scheduler.run('a')
  await waiting
  const [record] = await scheduler.history({ state: 'running' })
  expect(record).toMatchObject({ id: run.id, attempt: 1, endedAt: undefined, error: { message: 'not yet' } })
  await scheduler.stop()
  expect((await scheduler.history())[0]).toMatchObject({ id: run.id, state: 'cancelled', attempt: 1 })
})

test('a stopped scheduler can be asked for its history, and started again', async () => {
  const scheduler = createScheduler({ plugins: [sqlite({ file })], logger: quiet })
  scheduler.job('a', manual(), () => {})
  for (const count of [1, 2]) {
    await scheduler.start()
    await scheduler.run('a', undefined, { wait: true })
    await scheduler.stop()
    expect(await scheduler.history()).toHaveLength(count)
  }
  await scheduler.start()
  await scheduler.stop()
})

test.each([
  [{}, 'file must be'],
  [{ file: 'a', durability: 'some' }, 'durability must be'],
  [{ file: 'a', retention: { runs: 0 } }, 'retention.runs must be'],
  [{ file: 'a', retention: { days: 3 } }, 'there is no retention option "days"'],
  [{ file: 'a', heartbeat: '15s' }, 'lease must be at least twice the heartbeat'],
  [{ file: 'a', path: 'b' }, 'there is no sqlite() option "path": did you mean file?'],
])('options that cannot work are refused at once: %j', (options, message) => {
  expect(() => sqlite(options as SqliteOptions)).toThrow(message)
})

test('old runs and claims go, but no claim of a tick that could still be caught up', async () => {
  const clock = new VirtualClock('2026-03-01T00:00:00Z')
  const scheduler = createScheduler({
    clock,
    timezone: 'UTC',
    logger: quiet,
    plugins: [
      sqlite({
        file,
        heartbeat: '1h',
        lease: '4h',
        poll: '1h',
        retention: { runs: 1, age: '3d', claims: '1d' },
      }),
    ],
  })
  scheduler.job('daily', '0 12 * * *', { catchUpWindow: '2d' }, () => {})
  await clock.until(scheduler.start())
  await clock.advance('9d')
  const kept = (sql: string) => {
    const db = open(file)
    const rows = db.prepare(sql).all() as { at: number }[]
    db.close()
    return rows.map(({ at }) => new Date(at).toISOString().slice(0, 10))
  }
  await clock.until(scheduler.stop())
  expect(kept('SELECT at FROM runs ORDER BY at')).toEqual(['2026-03-07', '2026-03-08', '2026-03-09'])
  expect(kept('SELECT at FROM claims ORDER BY at')).toEqual(['2026-03-08', '2026-03-09'])
})

test('a clock that is far ahead removes neither runs nor claims', async () => {
  const start = async (now: string) => {
    const clock = new VirtualClock(now)
    const scheduler = createScheduler({
      clock,
      timezone: 'UTC',
      logger: quiet,
      plugins: [sqlite({ file, heartbeat: '10m', lease: '40m', poll: '1h' })],
    })
    scheduler.job('hourly', '0 * * * *', () => {})
    await clock.until(scheduler.start())
    await clock.advance('5h')
    await clock.until(scheduler.stop())
  }
  const kept = () => {
    const db = open(file)
    const counts = ['runs', 'claims'].map((table) => {
      const sql = `SELECT count(*) AS n FROM ${table} WHERE state = 'succeeded' AND at < unixepoch('2027-01-01') * 1000`
      return (db.prepare(sql).get() as { n: number }).n
    })
    db.close()
    return counts
  }
  await start('2026-03-01T00:00:00Z')
  expect(kept()).toEqual([5, 5])
  await start('2031-03-01T00:00:00Z')
  expect(kept()).toEqual([5, 5])
})

test('after a long downtime old runs go within a day', async () => {
  const start = async (now: string, length: string) => {
    const clock = new VirtualClock(now)
    const retention = { runs: 1, age: '3d', claims: '1d' }
    const plugins = [sqlite({ file, heartbeat: '30m', lease: '2h', poll: '1h', retention })]
    const scheduler = createScheduler({ clock, timezone: 'UTC', logger: quiet, plugins })
    scheduler.job('daily', '0 12 * * *', { missed: 'skip' }, () => {})
    await clock.until(scheduler.start())
    await clock.advance(length)
    const kept = await scheduler.history({ outcome: 'succeeded' })
    await clock.until(scheduler.stop())
    return kept.map(({ scheduledAt }) => new Date(scheduledAt).toISOString().slice(0, 10)).toSorted()
  }
  expect(await start('2026-03-01T00:00:00Z', '2d')).toEqual(['2026-03-01', '2026-03-02'])
  const before = ['2026-03-01', '2026-03-02']
  expect(await start('2026-05-01T00:00:00Z', '20h')).toEqual([...before, '2026-05-01'])
  expect(await start('2026-05-02T00:00:00Z', '5h')).not.toContain('2026-03-01')
  expect(await start('2026-07-01T00:00:00Z', '26h')).toEqual(['2026-07-01'])
})

test.each([
  ['a folder', () => folder, 'it is a folder'],
  ['a file in a file', () => join(folder, 'text', 'jobs.db'), 'is a file: there is no folder of this name'],
  ['a file in a folder of a file', () => join(folder, 'text/a/b/jobs.db'), 'is a file: there is no folder'],
  [
    'a folder that cannot be made',
    () => '/proc/nope/jobs.db',
    'the folder /proc/nope cannot be made (ENOENT)',
  ],
  ['a folder that takes no file', () => '/proc/jobs.db', 'nothing can be written in the folder /proc ('],
])('%s is refused at the start with a word on what is wrong', async (_, path, text) => {
  writeFileSync(join(folder, 'text'), '')
  const scheduler = createScheduler({ plugins: [sqlite({ file: path() })], logger: quiet })
  await expect(scheduler.start()).rejects.toMatchObject({
    code: 'ERR_ESCAPEMENT_STORE',
    message: expect.stringMatching(/^the file \S+ cannot be opened: /),
  })
  await expect(scheduler.start()).rejects.toThrow(text)
})
