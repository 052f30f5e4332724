import { type Fault, type Kinds, REFUSALS, type Refusal } from '../plan.ts'

const ways = ['both', 'there', 'back'] as const

/** Several instances at once. */
const ofMany: Kinds = ({ random, at, living, replace }) => [
  () =>
    living.flatMap((who): readonly Fault[] => {
      const ms = random.integer(2500, 5000)
      const fate = random.integer(0, 3)
      if (fate === 0) return [{ at, do: 'kill', who }, replace(ms, who)]
      if (fate === 3) return []
      return [{ at: at - random.integer(0, 300), do: fate === 1 ? 'stall' : 'sleep', who, ms }]
    }),
  () => [{ at, do: 'pause', job: `job-${random.integer(0, 9)}`, ms: random.integer(2500, 9000) }],
  // A deploy of a version that lacks a job, one instance after the other.
  () => {
    const without = `job-${random.integer(0, 7)}`
    const old = living.slice(0, random.integer(1, living.length - 1))
    return old.flatMap((name, i) => [
      { at: at + i * 700, do: 'stop', who: name } as const,
      { ...replace(i * 700 + random.integer(0, 300), name), without },
    ])
  },
]

const ofNetwork: Kinds = ({ random, at, who, server, servers, ms, living }) => [
  () => [{ at, do: 'cut', who, server, ms, way: random.pick(ways) }],
  // Commands that arrive after their time.
  () => [{ at, do: 'cut', who, server, ms: random.integer(600, 2000), way: 'there' }],
  // Parts of the fleet that reach different servers: their votes meet.
  () =>
    living.map((name) => ({
      at,
      do: 'cut',
      who: name,
      server: random.integer(0, servers - 1),
      ms,
      way: random.pick(ways),
    })),
  () => [{ at, do: 'reset', who, server }],
  () => [{ at, do: 'slow', ms, added: random.pick([5, 50, 300]) }],
]

const ofServers: Kinds = ({ random, at, server, ms }) => [
  () => [{ at, do: 'hang', server, ms }],
  () => [{ at, do: 'restart', server, ms, memory: random.pick(['none', 'snapshot', 'all'] as const) }],
  () => [
    { at: at - random.integer(1, 800), do: 'save', server },
    { at, do: 'fail-over', server },
  ],
  () => [
    { at: at - random.integer(1, 800), do: 'save', server },
    { at, do: 'switch-over', server },
  ],
  () => [{ at, do: 'save', server }],
  () => [{ at, do: 'flush-scripts', server }],
  () => [
    { at, do: 'refuse', server, ms, why: random.pick(Object.keys(REFUSALS) as Refusal[]) },
    ...(random.chance(0.3) ? [{ at: at + 10, do: 'flush-scripts', server } as const] : []),
  ],
]

const steps: Kinds = ({ random, at, who }) => [
  () => {
    const by = random.pick([-1, 1]) * random.pick([300, 2000, 60_000, 7_200_000])
    return [{ at, do: 'step', who, ms: by }]
  },
]

export const ofRedis: Kinds = (draw) => [
  ...steps(draw),
  ...ofNetwork(draw),
  ...ofServers(draw),
  ...ofMany(draw),
]

/** The clock of the only Redis is set, by less than is noticed, and put right again. */
export const ofOneRedis: Kinds = (draw) => {
  const { random, at, server, ms } = draw
  const set = () => {
    const by = Math.round(random.pick([-1, 1]) * random.between(50, 250))
    return [
      { at, do: 'skew', server, ms: by },
      { at: at + ms + 1000, do: 'skew', server, ms: -by },
    ] as const
  }
  return [...ofRedis(draw), set]
}
