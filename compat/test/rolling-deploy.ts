import { expect } from 'vitest'
import { type Fleet, faults, JOBS, type Version } from './fleet.ts'

const MISSED_MS = 2500
const POLL = { timeout: 10_000, interval: 100 }

/**
 * A deployment and its rollback: the version before, both, this version, the version before. Instances are killed in their
 * runs while only the other version is left to find them.
 */
export async function rollingDeploy(fleet: Fleet, { shared }: { shared: boolean }): Promise<void> {
  await fleet.startAll('before-1')
  await fleet.startAll('before-2')
  await ranBy(fleet, 'before')
  await fleet.startAll('this-1')
  await ranBy(fleet, 'either')
  await fleet.stop('before-2')
  if (shared) {
    await pausedByTheOther(fleet, 'before-1', 'this-1')
    await pausedByTheOther(fleet, 'this-1', 'before-1')
  }
  await foundByTheOther(fleet, 'before-1', 'this-1')
  await fleet.startAll('before-3')
  await foundByTheOther(fleet, 'this-1', 'before-3')
  await fleet.startAll('this-2')
  await ranBy(fleet, 'either')
  if (shared) await readAlike(fleet, 'before-3', 'this-2')
  await fleet.stop('before-3')
  await ranBy(fleet, 'this')
  // The rollback: the version before starts alone on what this one has left.
  await replaced(fleet, ['this-2'], 'before-4', shared)
  await fleet.startAll('this-3')
  if (shared) await readAlike(fleet, 'before-4', 'this-3')
  // A deployment that stops all first.
  await replaced(fleet, ['before-4', 'this-3'], 'this-4', shared)
  await fleet.stop('this-4')
  expect(JOBS.flatMap((job) => faults(fleet.lines, job))).toEqual([])
}

/** A mutex is held by one instance at a time, of whatever version. */
export async function mutexes(fleet: Fleet): Promise<void> {
  await fleet.startAll('before-1')
  await fleet.startAll('this-1')
  const hold = (name: string) => fleet.ask<{ from: number; to: number }>(name, 'hold', 'door')
  const held = await Promise.all(['before-1', 'this-1', 'before-1', 'this-1', 'before-1', 'this-1'].map(hold))
  held.sort((a, b) => a.from - b.from)
  for (const [i, { to }] of held.slice(0, -1).entries()) expect(held[i + 1]?.from).toBeGreaterThanOrEqual(to)
  await fleet.stopAll('before-1', 'this-1')
}

/**
 * An instance starts when none runs: what is shared tells it which ticks were missed meanwhile. Where nothing is shared,
 * nobody could tell: there it starts before the others stop.
 */
async function replaced(
  fleet: Fleet,
  others: readonly string[],
  name: `${Version}-${number}`,
  shared: boolean,
): Promise<void> {
  if (!shared) {
    await fleet.startAll(name)
    await fleet.stopAll(...others)
    return ranBy(fleet, name)
  }
  await fleet.stopAll(...others)
  // Nothing runs that could say when: the ticks of this time are missed.
  await new Promise((resolve) => setTimeout(resolve, MISSED_MS))
  await fleet.startAll(name)
  await fleet.seen(
    (line) => line.name === name && line.outcome === 'missed',
    `${name} to record the ticks that were missed before it started`,
  )
  await ranBy(fleet, name)
}

/** In a fleet of both, either of them may get all ticks. */
async function ranBy(fleet: Fleet, version: string): Promise<void> {
  await fleet.line(
    ({ name, outcome }) => outcome === 'succeeded' && (version === 'either' || name.startsWith(version)),
    `a run by the version: ${version}`,
  )
}

/** A pause by one instance holds in the other, and so does its end. */
async function pausedByTheOther(fleet: Fleet, by: string, other: string): Promise<void> {
  const job = 'record-1'
  const line = (name: string, event: string, reason?: string) =>
    fleet.line(
      (one) => one.name === name && one.job === job && one.event === event && one.reason === reason,
      `${name} to write ${event} ${reason ?? ''} of ${job}, which ${by} has paused and ${other} resumes`,
    )
  await fleet.ask(by, 'pause', job)
  await Promise.all([by, other].map((name) => line(name, 'settled', 'paused')))
  await fleet.ask(other, 'resume', job)
  await Promise.any([by, other].map((name) => line(name, 'begin')))
}

/** The runs of an instance that was killed are found by one of the other version. */
async function foundByTheOther(fleet: Fleet, victim: string, other: string): Promise<void> {
  const killed = await fleet.killInRuns(victim, other)
  const end = (of: 'record' | 'rerun', outcome: string) =>
    fleet.seen(
      ({ name, key, outcome: given }) => name === other && key === killed[of].key && given === outcome,
      `${other} to end ${killed[of].key} of ${victim} as ${outcome}`,
    )
  const [, again] = await Promise.all([end('record', 'abandoned'), end('rerun', 'succeeded')])
  expect(again.start).toBe(2)
  expect(again.fence).toBeGreaterThan(killed.rerun.fence as number)
}

/** Both versions show the same records, and among them whatever has ended. */
async function readAlike(fleet: Fleet, one: string, other: string): Promise<void> {
  const until = new Date(Date.now() - 2000).toISOString()
  const ended = async (name: string, job: string) =>
    (await fleet.history(name, job)).filter(({ scheduledAt }) => scheduledAt < until)
  for (const job of JOBS) {
    const runs = fleet.lines.filter(({ event, job: its }) => event === 'begin' && its === job)
    const keys = runs.map(({ key }) => key).filter((key) => key < `${job}@${until}`)
    const first = await ended(one, job)
    expect(first.map(({ key }) => key)).toEqual(expect.arrayContaining(keys))
    await expect.poll(() => ended(other, job), POLL).toEqual(first)
  }
}
