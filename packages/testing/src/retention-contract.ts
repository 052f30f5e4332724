import assert from 'node:assert/strict'
import {
  createScheduler,
  type Maybe,
  type Outcome,
  type Plugin,
  type Run,
  type RunRequest,
  type RunStats,
  type Scheduler,
  toRecord,
} from '@escapement/core'
import { classOf, timeOf } from '@escapement/core/plugin'
import type { Case } from './case.ts'
import { fakeRun } from './fake-run.ts'
import { idAt, numbers } from './random.ts'

/** What a store keeps, as the options of its plugin say it. */
export interface Retention {
  readonly runs: number
  readonly age: string
  readonly total: number
  readonly failures: { readonly age: string; readonly runs: number }
}

export interface RetentionContractOptions {
  /** A plugin with a store of this name, empty at first, that removes what is too old when it starts. */
  plugin(name: string, retention: Retention): Maybe<Plugin>
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const FAILURES: readonly (Outcome | undefined)[] = ['failed', 'timed-out', 'abandoned', 'lease-lost']
const OUTCOMES: readonly Outcome[] = ['succeeded', 'succeeded', 'succeeded', 'failed', 'timed-out', 'missed']
const JOBS = 4
/** How long old runs may take to go, in ms. */
const PATIENCE_MS = 30_000

/**
 * What becomes of old runs and of their counters, as cases for any test runner.
 *
 * @example
 * for (const { name, run } of retentionContract({ plugin })) test(name, run)
 */
export function retentionContract({ plugin }: RetentionContractOptions): Case[] {
  const kept = async (name: string, retention: Retention, runs: readonly Run[], now: number) => {
    await write(await plugin(name, retention), runs)
    const scheduler = await start(await plugin(name, retention))
    try {
      await checkRuns(scheduler, expected(runs, retention, now))
      for (const step of ['hour', 'day'] as const) await checkCounts(scheduler, { runs, step, now })
    } finally {
      await scheduler.stop()
    }
  }
  const retention = { runs: 20, age: '8d', total: 100_000, failures: { age: '90d', runs: 30 } }
  return [
    {
      name: 'what is kept is what the rules say, and counters equal the records they outlived',
      run: () => {
        const now = Date.now()
        return kept('kept', retention, randomRuns(3_000, now), now)
      },
    },
    {
      name: 'the total bounds what age alone keeps, and no more',
      run: () => {
        const now = Date.now()
        return kept('total', { ...retention, total: 70 }, randomRuns(1_500, now), now)
      },
    },
    {
      name: 'a key is known for a day, however few runs are kept',
      run: async () => knownKey(async () => plugin('keys', { ...retention, runs: 1, age: '1s', total: 1 })),
    },
  ]
}

async function knownKey(plugin: () => Promise<Plugin>): Promise<void> {
  const now = Date.now()
  const runs = Array.from({ length: 5 }, (_, i) => {
    const at = now - (20 - i) * HOUR_MS
    return fakeRun({ id: idAt(at, i), job: 'a', at, outcome: 'succeeded', cause: 'manual' })
  })
  const asked = runs.map(({ id }, i) => request(id, i === 2 ? 'k' : undefined))
  const first = await plugin()
  const scheduler = await start(first)
  for (const one of asked) await first.store?.requests?.accept(one, 10)
  for (const run of runs) await first.store?.record(run)
  await scheduler.stop()
  const second = await plugin()
  const again = await start(second)
  try {
    await checkRuns(
      again,
      [runs[4], runs[2]].map((run) => run?.id as string),
    )
    assert.equal(await second.store?.requests?.accept(request(idAt(now, 9), 'k'), 10), runs[2]?.id)
  } finally {
    await again.stop()
  }
}

function request(id: string, key: string | undefined): RunRequest {
  const at = timeOf(id)
  return { id, job: 'a', at, expires: at + 2 * DAY_MS, data: [1], key, asked: undefined }
}

/** Runs of the last 120 days, none of them within minutes of a bound. */
function randomRuns(count: number, now: number): Run[] {
  const random = numbers(5)
  return Array.from({ length: count }, (_, i) => {
    const at = now - 1_800_000 - random(120 * 24) * HOUR_MS + i
    const outcome = OUTCOMES[random(OUTCOMES.length)] as Outcome
    return fakeRun({
      id: idAt(at, i),
      job: `job ${random(JOBS)}`,
      at,
      outcome,
      duration: random(1_000_000) / 10,
      late: random(10_000) / 10,
    })
  }).toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

async function write(plugin: Plugin, runs: readonly Run[]): Promise<void> {
  const scheduler = createScheduler({ plugins: [plugin], logger: QUIET })
  const { store } = plugin
  assert.ok(store, 'it brings a store')
  await scheduler.start()
  await Promise.all(runs.map(async (run) => store.record(run)))
  await scheduler.stop()
}

async function start(plugin: Plugin): Promise<Scheduler> {
  const scheduler = createScheduler({ plugins: [plugin], logger: QUIET })
  await scheduler.start()
  return scheduler
}

const QUIET = { debug() {}, info() {}, warn() {}, error() {} }

/** The ids that are kept, the newest first. */
function expected(runs: readonly Run[], { runs: least, total, failures }: Retention, now: number): string[] {
  const newest = runs.toReversed()
  const ranks = new Map<string, number>()
  const rank = (kind: string) => {
    const next = (ranks.get(kind) ?? 0) + 1
    ranks.set(kind, next)
    return next
  }
  return newest
    .filter(({ id, job, outcome, attempt }, index) => {
      const among = rank(`${job.name} ${attempt > 0}`)
      const failed = FAILURES.includes(outcome)
      const amongFailures = failed ? rank(`${job.name} failures`) : Infinity
      const age = now - timeOf(id)
      if (among <= least || (age < 8 * DAY_MS && index < total)) return true
      return failed && age < 90 * DAY_MS && amongFailures <= failures.runs
    })
    .map(({ id }) => id)
}

async function checkRuns(scheduler: Scheduler, ids: readonly string[]): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const found = (await scheduler.history({ limit: 10_000 })).map(({ id }) => id)
    if (found.length === ids.length || performance.now() > end) return assert.deepEqual(found, ids)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** By hour they are known for 30 days, by day for all. */
async function checkCounts(
  scheduler: Scheduler,
  { runs, step, now }: { runs: readonly Run[]; step: 'hour' | 'day'; now: number },
): Promise<void> {
  const length = step === 'hour' ? HOUR_MS : DAY_MS
  const from = now - (step === 'hour' ? 29 : 130) * DAY_MS
  const first = from - (from % length)
  const counted = runs.filter(({ id }) => timeOf(id) >= first)
  for (const job of [undefined, ...Array.from({ length: JOBS }, (_, i) => `job ${i}`)]) {
    const of = counted.filter((run) => job === undefined || run.job.name === job)
    const stats = await scheduler.stats({ from, step, ...(job !== undefined && { job }) })
    assert.deepEqual(
      stats.map(({ at, outcomes, durations, lateness }) =>
        tallyOf(at.getTime(), [outcomes, durations, lateness]),
      ),
      tallies(of, length),
      `${job ?? 'all'} by ${step}`,
    )
  }
}

type Tally = readonly [at: number, ...counts: Record<string, number>[]]

function tallyOf(at: number, counts: readonly (RunStats['outcomes'] | RunStats['durations'])[]): Tally {
  return [at, ...counts.map((count) => ({ ...count }) as Record<string, number>)]
}

function tallies(runs: readonly Run[], length: number): Tally[] {
  const spans = new Map<number, Record<string, number>[]>()
  const add = (counts: Record<string, number>, kind: string | number) => {
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  for (const run of runs) {
    const { outcome, attempt, duration = 0, late } = toRecord(run)
    const at = timeOf(run.id) - (timeOf(run.id) % length)
    const counts = spans.get(at) ?? [{}, {}, {}]
    spans.set(at, counts)
    add(counts[0] as Record<string, number>, String(outcome))
    if (attempt === 0) continue
    add(counts[1] as Record<string, number>, classOf(duration))
    add(counts[2] as Record<string, number>, classOf(late))
  }
  return [...spans].toSorted(([a], [b]) => a - b).map(([at, counts]) => [at, ...counts])
}
