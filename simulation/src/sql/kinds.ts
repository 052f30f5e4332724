import type { Kinds } from '../plan.ts'

/** The clock of a machine is set, and put right again. */
const clock: Kinds = ({ random, at, ms }) => [
  () => {
    const by = Math.round(random.pick([-2000, -300, 300, 2000]) * random.between(0.5, 1))
    return [
      { at, do: 'set-clock', by },
      { at: at + ms, do: 'set-clock', by: -by },
    ]
  },
]

const pauses: Kinds = ({ random, at, ms }) => [
  () => [{ at, do: 'pause', job: `job-${random.integer(0, 9)}`, ms: ms + 4000 }],
]

export const ofFile: Kinds = (draw) => {
  const { random, at, who, server, ms, replace } = draw
  const lock = () => [{ at, do: 'lock', server, ms } as const]
  const hold = () => [{ at, do: 'hold', who, server, ms } as const]
  const crash = () => [
    { at, do: 'crash', who, server, after: random.integer(1, 12) } as const,
    replace(random.integer(1500, 5000)),
  ]
  return [
    ...clock(draw),
    ...pauses(draw),
    ...[lock, lock, hold, hold, crash, crash],
    () => [{ at, do: 'full', server, ms }],
    () => [{ at, do: 'io-errors', server, ms }],
    () => [
      { at: at - random.integer(1, 800), do: 'save', server },
      { at, do: 'restore', server },
    ],
  ]
}

/** The wrong clock of one instance of several machines: it is put right again. */
const steps: Kinds = ({ random, at, who, ms }) => [
  () => {
    const by = Math.round(random.pick([-2000, -300, 300, 2000]) * random.between(0.5, 1))
    return [
      { at, do: 'step', who, ms: by },
      { at: at + ms, do: 'step', who, ms: -by },
    ]
  },
]

export const ofDatabase: Kinds = (draw) => {
  const { random, at, who, server, ms } = draw
  const lock = () => [{ at, do: 'lock', server, ms } as const]
  const cut = () =>
    [{ at, do: 'cut', who, server, ms, way: random.pick(['both', 'there', 'back'] as const) }] as const
  return [
    ...steps(draw),
    ...pauses(draw),
    ...[lock, lock, cut, cut],
    () => [{ at, do: 'reset', who, server }],
    () => [{ at, do: 'terminate', who, server }],
    () => [{ at, do: 'half-open', who, server }],
    () => [{ at, do: 'hang', server, ms }],
    () => [{ at, do: 'restart', server, ms, memory: 'all' }],
    () => [
      { at: at - random.integer(1, 800), do: 'save', server },
      { at, do: 'fail-over', server },
    ],
    () => [{ at, do: 'read-only', server, ms }],
    () => [{ at, do: 'timeouts', server, ms }],
    () => [{ at, do: 'collisions', server, ms }],
    () => [{ at, do: 'slow', ms, added: random.pick([5, 50, 300]) }],
  ]
}
