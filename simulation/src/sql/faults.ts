import type { Kinds } from '../plan.ts'

/** What goes wrong with a database. */
export type SqlFault =
  /** Another program holds the write lock of the file, or the tables. */
  | { readonly do: 'lock'; readonly server: number; readonly ms: number }
  /** A process gets no processor while it holds the write lock of the file. */
  | { readonly do: 'hold'; readonly who: string; readonly server: number; readonly ms: number }
  | { readonly do: 'full' | 'io-errors'; readonly server: number; readonly ms: number }
  /** A process dies within its next transaction that has so many statements, or as it commits. */
  | { readonly do: 'crash'; readonly who: string; readonly server: number; readonly after: number }
  /** The file is replaced by its last copy. */
  | { readonly do: 'restore'; readonly server: number }

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

/** A fault of a database in words. */
export function tellSql(fault: SqlFault): string {
  const seconds = 'ms' in fault ? `${(fault.ms / 1000).toFixed(1)} s` : ''
  switch (fault.do) {
    case 'lock':
      return `another program locks the database for ${seconds}`
    case 'hold':
      return `${fault.who} gets no processor for ${seconds} while it holds the write lock`
    case 'full':
      return `the disk is full for ${seconds}`
    case 'io-errors':
      return `the disk fails for ${seconds}`
    case 'crash':
      return `${fault.who} will die within a transaction (${fault.after})`
    case 'restore':
      return 'the file is replaced by its last copy'
  }
}
