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
