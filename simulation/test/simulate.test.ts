import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { check } from '../src/check.ts'
import { deal, FLEETS, type Fleet } from '../src/fleets.ts'
import { type Code, load } from '../src/load.ts'
import { simulate } from '../src/simulate.ts'

let code: Promise<Code> | undefined
/** A real database takes its time. */
const LIMIT_MS = 60_000

const play = async (fleet: Fleet, seed: number) => {
  code ??= load()
  const { plan, options } = deal(fleet, seed)
  return simulate(await code, { ...plan, end: 16_000 }, options)
}

const digest = async (fleet: Fleet, seed: number) => {
  const { history } = await play(fleet, seed)
  return createHash('sha256').update(JSON.stringify(history)).digest('hex')
}

/** A database that is compiled to WebAssembly takes seconds for each. */
const SEEDS = FLEETS.flatMap((fleet) =>
  (fleet.cost ? [12] : [12, 7, 301]).map((seed) => [fleet.name, seed, fleet] as const),
)

test.each(SEEDS)(
  '%s, seed %i: the same seed gives the same history, to the byte',
  { timeout: LIMIT_MS },
  async (_, seed, fleet) => {
    const first = await digest(fleet, seed)
    expect(await digest(fleet, seed)).toBe(first)
  },
)

test.each(FLEETS.map((fleet) => [fleet.name, fleet] as const))(
  '%s: without faults all ticks run',
  { timeout: LIMIT_MS },
  async (_, fleet) => {
    const { plan, options } = deal(fleet, 1)
    code ??= load()
    const played = await simulate(await code, { ...plan, faults: [], calm: 0 }, options)
    expect(check(played)).toEqual([])
    expect(played.history.filter(({ what }) => what === 'start').length).toBeGreaterThan(400)
  },
)
