import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { Processes } from './processes.ts'

export interface Begun {
  readonly name: string
  readonly event: string
  readonly key: string
  readonly id: string
}

type Fleet = Processes<Begun>

const NAMES = ['a', 'b', 'c']

/** How soon news is in force everywhere, in ms: a second, and what a busy machine takes to ask and to answer. */
const NEWS_MS = 1_000
/** How long the last runs may take, in ms. */
const PATIENCE_MS = 30_000
/** How many requests are made while instances are killed: `ESCAPEMENT_REQUESTS=1000` makes more. */
const REQUESTS = Number(process.env.ESCAPEMENT_REQUESTS ?? 300)
const REQUESTS_PER_KILL = 25
/** How long that may take, in ms. */
export const ASKING_MS: number = REQUESTS * 400

/** Processes whose scheduler has the plugin that a module makes of options. */
export function operatedFleet(plugin: string, options: object): Fleet {
  return new Processes<Begun>({ ...options, plugin }, fileURLToPath(new URL('./asking.mjs', import.meta.url)))
}

export async function startAll(fleet: Fleet): Promise<void> {
  await Promise.all(NAMES.map((name) => fleet.start(name)))
}

async function ask<T>(fleet: Fleet, name: string, what: string, about: unknown = {}): Promise<T> {
  const { value, error } = await fleet.ask<{ value: T; error?: string }>(name, what, about)
  if (error !== undefined) throw new Error(error)
  return value
}

/** Requests with keys while instances are killed: each is accepted in the end, is run at most once, and is on record. */
export async function askUnderKills(fleet: Fleet, requests: number = REQUESTS): Promise<void> {
  const accepted = new Map<string, string>()
  let left = Math.floor(requests / REQUESTS_PER_KILL)
  const killer = async () => {
    for (; left > 0; left--) {
      const name = NAMES[left % NAMES.length] as string
      // In the midst of its work.
      await fleet.line(({ event }) => event === 'begin', 'a run to begin')
      await fleet.stop(name, 'SIGKILL')
      await fleet.start(name)
    }
  }
  let next = 0
  const asker = async () => {
    for (let i = next++; i < requests || left > 0; i = next++) {
      const key = `key ${i}`
      // As a client does: whoever gets no answer asks again, somebody else.
      for (let tries = 0; !accepted.has(key); tries++) {
        expect(tries, `tries for ${key}`).toBeLessThan(50)
        const name = NAMES[(i + tries) % NAMES.length] as string
        const id = await ask<string>(fleet, name, 'run', { key }).catch(() => undefined)
        if (id === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
        else accepted.set(key, id)
      }
    }
  }
  await Promise.all([killer(), ...Array.from({ length: 8 }, asker)])
  await eachEnded(fleet, accepted)
}

async function eachEnded(fleet: Fleet, accepted: ReadonlyMap<string, string>): Promise<void> {
  const ids = [...accepted.values()]
  expect(new Set(ids).size).toBe(ids.length)
  const end = performance.now() + PATIENCE_MS
  let states: (string | undefined)[] = []
  do {
    states = await ask(fleet, 'a', 'find', ids)
    if (performance.now() > end) break
  } while (states.some((state) => state !== 'succeeded' && state !== 'abandoned'))
  expect(new Set(states)).toEqual(
    new Set(states.includes('abandoned') ? ['succeeded', 'abandoned'] : ['succeeded']),
  )
  const begun = fleet.lines.filter(({ event }) => event === 'begin')
  const keys = begun.map(({ key }) => key)
  expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([])
  // Of a run that has succeeded the beginning was seen.
  const seen = new Set(begun.map(({ id }) => id))
  expect(ids.filter((id, index) => states[index] === 'succeeded' && !seen.has(id))).toEqual([])
}

/** Requests for later are run once by whoever is there then, though all that accepted them were killed. */
export async function askAndKillAll(fleet: Fleet): Promise<void> {
  const keys = Array.from({ length: 20 }, (_, i) => `later ${i}`)
  const ids = await Promise.all(
    keys.map((key, i) => ask<string>(fleet, NAMES[i % NAMES.length] as string, 'run', { key, in: 1_000 })),
  )
  await fleet.kill()
  await fleet.start('a')
  await eachEnded(fleet, new Map(keys.map((key, i) => [key, ids[i] as string])))
}

type Paused = { readonly all?: string; readonly other?: string }

async function inForce(
  fleet: Fleet,
  name: string,
  { paused: expected, since, within = NEWS_MS }: { paused: Paused; since: number; within?: number },
): Promise<void> {
  for (;;) {
    const asked = performance.now()
    const paused = await ask<Paused>(fleet, name, 'paused')
    if (paused.all === expected.all && paused.other === expected.other) return
    expect(asked - since, `${name}: ${JSON.stringify(paused)}`).toBeLessThan(within)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A pause of one instance is in force on the others within a second, also when that one is killed at once. */
export async function pauseAndKill(fleet: Fleet): Promise<void> {
  await ask(fleet, 'a', 'pause', { job: 'other', by: 'ann' })
  let since = performance.now()
  await fleet.stop('a', 'SIGKILL')
  await Promise.all(['b', 'c'].map((name) => inForce(fleet, name, { paused: { other: 'ann' }, since })))
  await ask(fleet, 'b', 'pause', { by: 'bob' })
  since = performance.now()
  await inForce(fleet, 'c', { paused: { all: 'bob', other: 'ann' }, since })
  // After a restart, too.
  await fleet.start('a')
  await inForce(fleet, 'a', { paused: { all: 'bob', other: 'ann' }, since: performance.now() - NEWS_MS })
  await ask(fleet, 'a', 'resume')
  await ask(fleet, 'a', 'resume', { job: 'other' })
  since = performance.now()
  await Promise.all(['b', 'c'].map((name) => inForce(fleet, name, { paused: {}, since })))
}

/** A pause that cannot be kept is refused, holds where it was made, and reaches the others when it can be kept. */
export async function pauseInOutage(
  fleet: Fleet,
  database: { kill(): Promise<void>; start(): Promise<void> },
): Promise<void> {
  await database.kill()
  await expect(ask(fleet, 'a', 'pause', { job: 'other', by: 'ann' })).rejects.toThrow(
    'ERR_ESCAPEMENT_UNAVAILABLE',
  )
  await inForce(fleet, 'a', { paused: { other: 'ann' }, since: performance.now() - NEWS_MS })
  await inForce(fleet, 'b', { paused: {}, since: performance.now() - NEWS_MS })
  await database.start()
  // It is tried again each second, and each try has its time.
  const since = performance.now()
  await Promise.all(
    ['b', 'c'].map((name) => inForce(fleet, name, { paused: { other: 'ann' }, since, within: 10_000 })),
  )
}
