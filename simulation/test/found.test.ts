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
  readonly skews?: readonly number[]
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
  {
    what: 'a claim that came too late for its life was reported as a run that died',
    fleet: 'sqlite',
    seed: 8,
    instances: ['i1', 'i2'],
    faults: [
      { at: 34_747, do: 'hold', who: 'i1', server: 0, ms: 2107 },
      { at: 36_768, do: 'lock', server: 0, ms: 206 },
    ],
  },
  {
    what: 'a claim that had waited for a lock was given to an owner that was dead by then',
    fleet: 'postgres',
    seed: 114,
    instances: ['i1', 'i2', 'i3'],
    skews: [2285, 0, 0],
    faults: [
      { at: 8221, do: 'pause', job: 'job-8', ms: 4764 },
      { at: 14_640, do: 'sleep', who: 'i2', ms: 8243 },
      { at: 19_801, do: 'lock', server: 0, ms: 4201 },
    ],
  },
  {
    what: 'a run began when its claim was answered after a suspension, though others had reported it',
    fleet: 'postgres',
    seed: 192,
    instances: ['i1', 'i4'],
    skews: [0, 2916],
    faults: [
      { at: 7512, do: 'slow', ms: 9860, added: 50 },
      { at: 12_090, do: 'sleep', who: 'i4', ms: 5122 },
    ],
  },
]

/** A real database takes its time. */
const LIMIT_MS = 60_000

let code: Promise<Code> | undefined

test.each(FOUND)('$fleet, seed $seed: $what', { timeout: LIMIT_MS }, async (found) => {
  const { fleet, seed, instances, faults } = found
  const { plan, options } = deal(FLEETS.find(({ name }) => name === fleet) as Fleet, seed)
  code ??= load()
  const skews = found.skews ?? instances.map(() => 0)
  expect(check(await simulate(await code, { ...plan, instances, skews, faults }, options))).toEqual([])
})
