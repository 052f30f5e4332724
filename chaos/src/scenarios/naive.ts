import type { Scenario } from '../scenario.ts'
import { sleep } from '../world.ts'

/** What is often built instead. They are here to be seen failing. */
export const naive: readonly Scenario[] = (['lock-only', 'lock-at-least', 'watermark'] as const).flatMap(
  (design) =>
    (['equal', 'skewed'] as const).map(
      (clocks): Scenario => ({
        name: `naive-${design}-${clocks}`,
        about: `${design}: five instances, ${clocks === 'equal' ? 'equal clocks' : 'clocks up to 2 s off, a joiner 4 s fast'}`,
        world: { workers: 5, design, skews: clocks === 'equal' ? [] : [0, 2000, -2000, 900, -450] },
        async faults(world) {
          await sleep(10_000)
          if (clocks === 'skewed') await world.join(4000)
          await sleep(10_000)
        },
        shows: ['duplicates', 'overlaps', 'silent', 'regressions'],
      }),
    ),
)
