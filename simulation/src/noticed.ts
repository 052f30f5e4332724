import { check } from './check.ts'
import { deal, FLEETS, type Fleet } from './fleets.ts'
import { load, type Mutation } from './load.ts'
import { simulate } from './simulate.ts'

/** The seed that notices that a rule is left out, by the name of the mutation, as `--mutations` has found it. */
export const NOTICED: Readonly<Record<string, readonly [fleet: string, seed: number]>> = {
  'no restart guard': ['one Redis', 4],
  'leases at once after a restart': ['one Redis', 2],
  'a restart is not noticed': ['one Redis', 5],
  'a lease is trusted after a stall': ['one Redis', 12],
  'a lease is trusted after a sleep': ['one Redis', 12],
  'no abort at the deadline': ['one Redis', 23],
  'leases are not renewed': ['one Redis', 1],
  'leases are ignored': ['one Redis', 1],
  'a lease that is over is renewed': ['one Redis', 23],
  'the end deletes the record': ['one Redis', 1],
  'ends are not repeated': ['one Redis', 7],
  'what was aborted counts as done': ['one Redis', 13],
  'the clock of the instance decides': ['one Redis', 5],
  'the fence is a counter': ['one Redis', 1],
}

/** Seeds that are tried when the one that is written down notices nothing: any change of the code shifts what a seed plays. */
const OTHERS = 30

/** The seed that notices a mutation: the one that is written down, or one of the first. Undefined: none does. */
export async function noticedBy(mutation: Mutation): Promise<number | undefined> {
  const [name, written] = NOTICED[mutation.name] as (typeof NOTICED)[string]
  const fleet = FLEETS.find((one) => one.name === name) as Fleet
  const code = await load([mutation])
  for (const seed of [written, ...Array.from({ length: OTHERS }, (_, i) => i + 1)]) {
    const { plan, options } = deal(fleet, seed)
    if (check(await simulate(code, plan, options)).length > 0) return seed
  }
  return undefined
}
