// Another program holds the file while a run ends.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createScheduler, every, manual, type Run, type Scheduler } from '@escapement/core'
import { sqlite } from '@escapement/sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Database } from '../src/file/driver.ts'
import { open } from '../src/file/open.ts'

let folder: string
let file: string
let all: Scheduler[]
let lines: string[]
let begun: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
  file = join(folder, 'jobs.db')
  all = []
  lines = []
  begun = []
})
afterEach(async () => {
  await Promise.all(all.map((one) => one.stop({ grace: 0 })))
  rmSync(folder, { recursive: true, force: true })
})

/** An instance whose job `a` runs each second, and calls `inRun` in it. */
async function start(inRun: () => void | Promise<void> = () => {}): Promise<Scheduler> {
  const write = (_fields: unknown, line?: string) => void lines.push(String(line))
  const scheduler = createScheduler({
    plugins: [sqlite({ file, heartbeat: '100ms', lease: '8s' })],
    logger: { debug() {}, info() {}, warn: write, error: write },
  })
  all.push(scheduler)
  scheduler.job('a', every('1s'), { onAbandoned: 'rerun' }, async (run) => {
    begun.push(run.key)
    await inRun()
  })
  scheduler.job('asked', manual(), inRun)
  await scheduler.start()
  return scheduler
}

/** The first run whose handler was entered: ticks that come while the file is held are skipped. */
function ended(scheduler: Scheduler): Promise<Run> {
  return new Promise((resolve) => {
    scheduler.on('settled', (run) => {
      if (run.attempt > 0) resolve(run)
    })
  })
}

function states(key: string): unknown {
  const db = open(file)
  try {
    const claim = db.prepare('SELECT state FROM claims WHERE key = ?').get(key) as { state: string }
    const runs = db.prepare('SELECT state FROM runs WHERE key = ?').all(key) as { state: string }[]
    return { claim: claim?.state, runs: runs.map(({ state }) => state) }
  } finally {
    db.close()
  }
}

async function hold(how: string): Promise<Database> {
  const other = open(file)
  other.exec(how)
  return other
}

test.each(['BEGIN IMMEDIATE', 'BEGIN EXCLUSIVE'])(
  'a program that holds the file by %s for three seconds while a run ends changes nothing of the run',
  async (how) => {
    let other: Database | undefined
    const scheduler = await start(async () => {
      other ??= await hold(how)
    })
    const run = await ended(scheduler)
    expect(run.outcome).toBe('succeeded')
    // Time is the subject.
    await sleep(3000)
    other?.exec('COMMIT')
    other?.close()
    await expect
      .poll(() => states(run.key), { timeout: 5000 })
      .toEqual({ claim: 'succeeded', runs: ['succeeded'] })
    const before = begun.length
    await expect.poll(() => begun.length, { timeout: 5000 }).toBeGreaterThan(before + 1)
    await scheduler.stop()
    // Nothing is left that the next life would run again.
    const again = begun.length
    await start()
    await expect.poll(() => begun.length, { timeout: 5000 }).toBeGreaterThan(again + 1)
    expect(begun.toSorted()).toEqual([...new Set(begun)].toSorted())
    expect(lines.filter((line) => line.includes('is locked by another program')).length).toBeLessThanOrEqual(
      1,
    )
  },
  30_000,
)

test('exclusive() resolves with the value of its function, and the name is free afterwards', async () => {
  const scheduler = await start()
  let other: Database | undefined
  const value = await scheduler.exclusive('door', async () => {
    other = await hold('BEGIN EXCLUSIVE')
    return 42
  })
  expect(value).toBe(42)
  // Time is the subject: the mutex is given back only then.
  await sleep(3000)
  other?.exec('COMMIT')
  other?.close()
  expect(await scheduler.exclusive('door', () => 7, AbortSignal.timeout(5000))).toBe(7)
}, 20_000)

test('a stop while the file is held waits for it, and the end is written', async () => {
  let other: Database | undefined
  const scheduler = await start(async () => {
    other ??= await hold('BEGIN IMMEDIATE')
  })
  const run = await ended(scheduler)
  const stopped = scheduler.stop()
  // Time is the subject.
  await sleep(1000)
  other?.exec('COMMIT')
  other?.close()
  await stopped
  expect(states(run.key)).toEqual({ claim: 'succeeded', runs: ['succeeded'] })
}, 20_000)
