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
  return simulate(await code, plan, options)
}

test.each(FLEETS)(
  '$name: the same seed gives the same history, to the byte',
  { timeout: LIMIT_MS },
  async (fleet) => {
    const hash = async () => {
      const { history } = await play(fleet, 12)
      return createHash('sha256').update(JSON.stringify(history)).digest('hex')
    }
    expect(await hash()).toBe(await hash())
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
