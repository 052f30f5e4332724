import type { Scenario } from '../scenario.ts'
import { sleep } from '../world.ts'

const HOUR = 3_600_000

export const clocks: readonly Scenario[] = [
  ...[1, 3, 5].map(
    (nodes): Scenario => ({
      name: `equal-clocks-${nodes}`,
      about: `five instances, ${nodes} Redis, jobs of 1 ms`,
      sample: nodes < 5,
      alone: true,
      world: { nodes, workers: 5 },
      faults: () => sleep(15_000),
      // On a machine that is busy with other things, start times say nothing about us. Several Redis mean two
      // rounds, and more processes than this machine may have processors for: their median is only told.
      also: ({ late, machine }) => [
        ...(nodes === 1 && !machine.busy && late.p50 > 6 + machine.p50
          ? [`start lag p50 is ${late.p50} ms`]
          : []),
        ...(!machine.busy && late.p99 > 60 + machine.p99 ? [`start lag p99 is ${late.p99} ms`] : []),
      ],
    }),
  ),
  ...[1, 3].map(
    (nodes): Scenario => ({
      name: `skewed-clocks-${nodes}`,
      about: `five instances with clocks up to 2 s off, ${nodes} Redis`,
      sample: nodes === 1,
      world: { nodes, workers: 5, skews: [0, 2000, -2000, 900, -450] },
      faults: () => sleep(15_000),
    }),
  ),
  {
    name: 'fast-clock-joiner',
    about: 'an instance whose clock is 4 s fast joins, then one 40 s slow',
    sample: true,
    world: { workers: 2 },
    async faults(world) {
      await sleep(3000)
      await world.join(4000)
      await sleep(4000)
      await world.join(-40_000)
      await sleep(6000)
    },
  },
  {
    name: 'clocks-hours-off',
    about: 'one clock an hour fast, one an hour slow',
    world: { workers: 3, skews: [0, HOUR, -HOUR] },
    faults: () => sleep(12_000),
  },
  {
    name: 'clock-steps',
    about: 'clocks are set by 3 s, a minute and an hour, forth and back, also while a job works',
    sample: true,
    world: {
      workers: 3,
      jobs: [
        { name: 'quick', seconds: 1, ms: 0 },
        { name: 'long', seconds: 5, ms: 2500 },
      ],
    },
    async faults(world) {
      await sleep(2000)
      const steps: [string, number][] = [
        ['w1', 3000],
        ['w2', -3000],
        ['w3', HOUR],
        ['w1', -60_000],
        ['w3', -HOUR],
        ['w2', -HOUR],
        ['w2', HOUR],
      ]
      for (const [worker, by] of steps) {
        world.tell(worker, { do: 'step', by })
        await sleep(2300)
      }
    },
  },
]
