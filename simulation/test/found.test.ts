import { expect, test } from 'vitest'
import { check } from '../src/check.ts'
import { deal, FLEETS, type Fleet } from '../src/fleets.ts'
import { type Code, load } from '../src/load.ts'
import type { Fault } from '../src/plan.ts'
import { simulate } from '../src/simulate.ts'

interface Found {
  readonly what: string
  readonly fleet: string
  readonly seed: number
  readonly instances: readonly string[]
  readonly faults: readonly Fault[]
}

/** What seeds have found, reduced to the fewest faults. */
const FOUND: readonly Found[] = [
  {
    what: 'a heartbeat under way continued a life whose claims were lost, and they were removed',
    fleet: 'sqlite',
    seed: 331,
    instances: ['i1', 'i5'],
    faults: [
      { at: 18_508, do: 'hold', who: 'i5', server: 0, ms: 1555 },
      { at: 20_958, do: 'lock', server: 0, ms: 1915 },
    ],
  },
  {
    what: 'the same, while the disk failed',
    fleet: 'sqlite',
    seed: 346,
    instances: ['i1'],
    faults: [{ at: 30_485, do: 'io-errors', server: 0, ms: 2234 }],
  },
  {
    what: 'ticks that were only decided as missed were run again, without a lease',
    fleet: 'sqlite',
    seed: 1059,
    instances: ['i1'],
    faults: [
      { at: 5466, do: 'boot', who: 'i6', skew: 0, drift: -0.00008141995510086418 },
      { at: 23_929, do: 'stall', who: 'i6', ms: 2212 },
      { at: 24_559, do: 'lock', server: 0, ms: 2277 },
    ],
  },
]

let code: Promise<Code> | undefined

test.each(FOUND)('$fleet, seed $seed: $what', async ({ fleet, seed, instances, faults }) => {
  const { plan, options } = deal(FLEETS.find(({ name }) => name === fleet) as Fleet, seed)
  code ??= load()
  const skews = instances.map(() => 0)
  expect(check(await simulate(await code, { ...plan, instances, skews, faults }, options))).toEqual([])
})
