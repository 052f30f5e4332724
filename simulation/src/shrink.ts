import { check } from './check.ts'
import type { FleetOptions } from './instance.ts'
import type { Code } from './load.ts'
import type { Plan } from './plan.ts'
import type { Violation } from './promises.ts'
import { type Played, simulate } from './simulate.ts'

/** Reduces a plan to the fewest faults that still break the same promise: delta debugging (Zeller 2002). */
export async function shrink(
  code: Code,
  plan: Plan,
  options: FleetOptions,
  { promise }: Violation,
  most = 300,
): Promise<{ plan: Plan; played: Played; tries: number }> {
  let best = plan
  let played = await simulate(code, plan, options)
  let tries = 0
  const fails = async (candidate: Plan) => {
    tries++
    const again = await simulate(code, candidate, options)
    if (!check(again).some((violation) => violation.promise === promise)) return false
    best = candidate
    played = again
    return true
  }
  let size = Math.ceil(best.faults.length / 2)
  while (size >= 1 && tries < most) {
    let shorter = false
    for (let from = 0; from < best.faults.length && tries < most; from += size) {
      const faults = best.faults.filter((_, i) => i < from || i >= from + size)
      if (await fails({ ...best, faults })) {
        shorter = true
        from -= size
      }
    }
    if (!shorter) size = size === 1 ? 0 : Math.floor(size / 2)
  }
  for (const name of [...best.instances].reverse()) {
    if (best.instances.length <= 1 || best.faults.some((fault) => 'who' in fault && fault.who === name))
      continue
    const kept = best.instances
      .map((other, i) => [other, best.skews[i] as number] as const)
      .filter(([other]) => other !== name)
    await fails({ ...best, instances: kept.map(([other]) => other), skews: kept.map(([, skew]) => skew) })
  }
  return { plan: best, played, tries }
}
