import type { Scenario } from '../scenario.ts'
import { clocks } from './clocks.ts'
import { deaths } from './deaths.ts'
import { failover } from './failover.ts'
import { memory } from './memory.ts'
import { naive } from './naive.ts'
import { network } from './network.ts'
import { servers } from './servers.ts'
import { soak } from './soak.ts'

export const scenarios: readonly Scenario[] = [
  ...clocks,
  ...deaths,
  ...network,
  ...servers,
  ...failover,
  ...memory,
  ...soak,
  ...naive,
]
