import assert from 'node:assert/strict'
import {
  type Claim,
  createScheduler,
  type JobOptions,
  type Maybe,
  manual,
  type Plugin,
  type Refusal,
  type Run,
  type Scheduler,
} from '@escapement/core'
import { StallClock } from './stall-clock.ts'

/** How long an instance without news is alive, and between two signs of life, in ms. */
export const TIMES: { lease: number; heartbeat: number } = { lease: 1200, heartbeat: 200 }

/** One scheduler of a fleet, its clock and its lock. */
export interface Instance {
  scheduler: Scheduler
  clock: StallClock
  lock: NonNullable<Plugin['lock']>
}

/** Schedulers with the same jobs, not started yet. */
export async function makeFleet(
  { name, size, plugin }: { name: string; size: number; plugin: () => Maybe<Plugin> },
  options: JobOptions,
  handler: (run: Run) => unknown,
): Promise<Instance[]> {
  const all: Instance[] = []
  for (let i = 0; i < size; i++) {
    const made = await plugin()
    assert.ok(made.lock, `the plugin ${made.name} brings a lock`)
    const clock = new StallClock()
    const scheduler = createScheduler({
      plugins: [made],
      clock,
      instance: `${name}-${i}`,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      drain: { grace: 100, abort: 100 },
    })
    scheduler.job('job', manual(), options as JobOptions & { schema?: undefined }, handler)
    scheduler.job('other', manual(), () => {})
    all.push({ scheduler, clock, lock: made.lock })
  }
  return all
}

export function again(run: Run): boolean {
  return run.cause === 'rerun'
}

/** Leases expire in real time. */
export function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** One tick, in a moment. */
export function soon(): { next(after: Date): Date | undefined } {
  const at = Date.now() + 50
  return { next: (after) => (after.getTime() < at ? new Date(at) : undefined) }
}

export function untilAborted(run: Run): Promise<never> {
  return new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(run.signal.reason)))
}

export async function granted(asked: Promise<Claim | Refusal>): Promise<Claim> {
  const answer = await asked
  assert.ok(answer.granted, `refused: ${JSON.stringify(answer)}`)
  return answer
}

export async function refused(asked: Promise<Claim | Refusal>): Promise<Refusal> {
  const answer = await asked
  assert.ok(!answer.granted, 'granted')
  return answer
}
