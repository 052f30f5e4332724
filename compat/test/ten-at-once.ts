import { expect } from 'vitest'
import { type Fleet, faults, JOBS } from './fleet.ts'

/** Ticks of each job that are to end before some instances are killed, and after it. */
const TICKS = 3

/**
 * Five instances of each version begin at once where nothing is yet, and one of each is killed in its runs: each tick is run
 * once or on record, and each of what the killed have left is found once.
 */
export async function tenAtOnce(fleet: Fleet): Promise<void> {
  const names = [1, 2, 3, 4, 5].flatMap((i) => [`before-${i}`, `this-${i}`] as const)
  await fleet.startAll(...names)
  await moreTicks(fleet)
  const [before, current, ...others] = names
  await Promise.all([fleet.stop(before as string, 'SIGKILL'), fleet.stop(current as string, 'SIGKILL')])
  const killed = new Date().toISOString()
  await moreTicks(fleet)
  const wrong = () => JOBS.flatMap((job) => faults(fleet.lines, job))
  // What was killed is found when its lease is over. Of later ticks some are always under way.
  const open = () => wrong().filter((fault) => (/@(\S+)/.exec(fault)?.[1] ?? '') < killed)
  await expect.poll(open, { message: 'ticks that are not decided', timeout: 10_000 }).toEqual([])
  await fleet.stopAll(...others)
  expect(wrong()).toEqual([])
}

async function moreTicks(fleet: Fleet): Promise<void> {
  const ended = (job: string) =>
    fleet.lines.filter((line) => line.job === job && line.event === 'settled' && !line.reason).length
  const before = new Map(JOBS.map((job) => [job, ended(job)]))
  const missing = () => JOBS.filter((job) => ended(job) < (before.get(job) as number) + TICKS)
  await expect.poll(missing, { message: `jobs without ${TICKS} more runs`, timeout: 10_000 }).toEqual([])
}
