import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createScheduler, every, manual } from '@escapement/core'
import { sqlite } from '@escapement/sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { open } from '../src/file/open.ts'
import { migrations } from '../src/file/schema.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
  file = join(folder, 'jobs.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const mode = (path: string) => statSync(path).mode & 0o777

test('the file, what SQLite puts beside it and its copies can be read by their owner only', () => {
  const umask = process.umask(0)
  try {
    const db = open(file)
    db.exec("INSERT INTO jobs (name, digest) VALUES ('a', 'x')")
    const modes = ['', '-wal', '-shm'].map((suffix) => mode(file + suffix))
    db.close()
    open(file, { migrations: [...migrations, 'CREATE TABLE later (a);'] }).close()
    expect([...modes, mode(`${file}.v1.bak`)]).toEqual([0o600, 0o600, 0o600, 0o600])
  } finally {
    process.umask(umask)
  }
})

test('a file that is there keeps its mode, also behind a symbolic link', () => {
  open(file).close()
  chmodSync(file, 0o640)
  symlinkSync(file, join(folder, 'link.db'))
  open(join(folder, 'link.db')).close()
  expect(mode(file)).toBe(0o640)
})

test('a relative path leads to the same file when the working directory has changed', async () => {
  const before = process.cwd()
  process.chdir(folder)
  try {
    const scheduler = createScheduler({ plugins: [sqlite({ file: 'jobs.db' })], logger: quiet })
    process.chdir(before)
    await scheduler.start()
    await scheduler.stop()
    expect(existsSync(file)).toBe(true)
  } finally {
    process.chdir(before)
  }
})

test('skips do not push runs out of the history', async () => {
  const plugins = [sqlite({ file, lock: false, retention: { runs: 8 } })]
  const scheduler = createScheduler({ plugins, logger: quiet })
  let release = () => {}
  const blocked = new Promise<void>((resolve) => {
    release = resolve
  })
  const calls: string[] = []
  scheduler.job('a', every(20), ({ key }) => (calls.push(key) > 4 ? blocked : undefined))
  await scheduler.start()
  const skipped = new Promise<void>((resolve) => {
    let count = 0
    scheduler.on('skipped', () => ++count === 30 && resolve())
  })
  await skipped
  release()
  await scheduler.stop()
  const ran = await scheduler.history({ outcome: 'succeeded' })
  expect(ran.map(({ key }) => key).toReversed()).toEqual(calls)
  // Ticks that were missed on a busy machine may stand between them.
  const kept = await scheduler.history({ outcome: 'skipped' })
  expect(kept.reduce((sum, { count = 1 }) => sum + count, 0)).toBeGreaterThanOrEqual(30)
})

test.each(['removed', 'replaced'])(
  'a file that is %s is left for the one at its path, and it is reported once',
  async (how) => {
    const scheduler = createScheduler({
      plugins: [sqlite({ file, heartbeat: '50ms', lease: '5s' })],
      logger: quiet,
    })
    const errors: string[] = []
    scheduler.on('error', (error) => void errors.push((error as Error).message))
    scheduler.job('a', manual(), () => {})
    await scheduler.start()
    await scheduler.run('a', undefined, { wait: true })
    expect(await scheduler.history()).toHaveLength(1)
    for (const suffix of ['', '-wal', '-shm']) renameSync(file + suffix, `${file}.old${suffix}`)
    if (how === 'replaced') open(file).close()
    const ran = async () =>
      (await scheduler.run('a', undefined, { wait: true }).catch(() => undefined))?.outcome
    await expect.poll(ran, { timeout: 5000 }).toBe('succeeded')
    expect((await scheduler.history({ outcome: 'succeeded' })).length).toBe(1)
    const db = open(file)
    expect(db.prepare("SELECT count(*) AS n FROM claims WHERE state = 'succeeded'").get()).toMatchObject({
      n: 1,
    })
    db.close()
    expect(errors.filter((message) => message.includes('removed or replaced'))).toHaveLength(1)
    await scheduler.stop()
  },
)

test('a lock of another program is reported once when it lasts and once when it is over', async () => {
  const lines: string[] = []
  const logger = { ...quiet, warn: (_fields: unknown, line?: string) => void lines.push(String(line)) }
  const scheduler = createScheduler({ plugins: [sqlite({ file, heartbeat: '50ms', lease: '10s' })], logger })
  await scheduler.start()
  const other = open(file)
  other.exec('BEGIN EXCLUSIVE')
  const said = (text: string) => lines.filter((line) => line.includes(text)).length
  await expect.poll(() => said('locked by another program'), { timeout: 8000 }).toBe(1)
  // Time is the subject: thirty heartbeats, none of which tells it again.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  other.exec('COMMIT')
  other.close()
  await expect.poll(() => said('can be written again'), { timeout: 5000 }).toBe(1)
  expect(said('locked by another program')).toBe(1)
  await scheduler.stop()
})
