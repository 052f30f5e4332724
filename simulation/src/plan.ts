import { Random } from './random.ts'
import type { SqlFault } from './sql/faults.ts'

/** Something that goes wrong, at an instant in ms since the beginning. */
export type Fault = { readonly at: number } & (
  | { readonly do: 'kill' | 'stop'; readonly who: string }
  | {
      readonly do: 'boot'
      readonly who: string
      readonly skew: number
      readonly drift: number
      /** A job that its version does not have. */
      readonly without?: string
    }
  | { readonly do: 'stall' | 'sleep'; readonly who: string; readonly ms: number }
  | { readonly do: 'step'; readonly who: string; readonly ms: number }
  | {
      readonly do: 'cut'
      readonly who: string
      readonly server: number
      readonly ms: number
      readonly way: 'both' | 'there' | 'back'
    }
  | { readonly do: 'reset'; readonly who: string; readonly server: number }
  | { readonly do: 'hang'; readonly server: number; readonly ms: number }
  | {
      readonly do: 'restart'
      readonly server: number
      readonly ms: number
      readonly memory: 'none' | 'snapshot' | 'all'
    }
  | { readonly do: 'fail-over' | 'switch-over'; readonly server: number }
  | { readonly do: 'save' | 'flush-scripts'; readonly server: number }
  | { readonly do: 'skew'; readonly server: number; readonly ms: number }
  /** It executes no script: full, busy, still loading, a replica; or scripts are killed before they write. */
  | { readonly do: 'refuse'; readonly server: number; readonly ms: number; readonly why: Refusal }
  | { readonly do: 'slow'; readonly ms: number; readonly added: number }
  /** The clock of the machine is set, for all its processes. */
  | { readonly do: 'set-clock'; readonly by: number }
  | { readonly do: 'pause'; readonly job: string; readonly ms: number }
  | SqlFault
)

export type Refusal = keyof typeof REFUSALS

/** What Redis answers then. */
export const REFUSALS = {
  full: "OOM command not allowed when used memory > 'maxmemory'.",
  busy: 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  loading: 'LOADING Redis is loading the dataset in memory',
  replica: "READONLY You can't write against a read only replica.",
  killed: 'ERR Error running script: Script killed by user with SCRIPT KILL...',
} as const

/** Who is there, what goes wrong and when. Plain data: a plan can be shortened and kept. */
export interface Plan {
  readonly seed: number
  readonly servers: number
  readonly instances: readonly string[]
  readonly skews: readonly number[]
  /** When the last fault is over, and when the simulation ends, in ms. */
  readonly calm: number
  readonly end: number
  readonly faults: readonly Fault[]
}

export interface Shape {
  readonly servers: number
  readonly instances: number
  /** How long things go wrong, in ms. */
  readonly trouble: number
  /** The quiet time behind it, in which the fleet must come back. */
  readonly tail: number
  /** What goes wrong with what the instances share. */
  readonly kinds: Kinds
  /** The instances are processes of one machine: they have one clock. */
  readonly oneClock?: boolean
}

/** What a fault is drawn from: when, for which instance and server, and for how long. */
export interface Draw {
  readonly random: Random
  readonly at: number
  readonly who: string
  readonly server: number
  readonly servers: number
  readonly ms: number
  readonly living: readonly string[]
  /** An instance, `who` if none is named, is gone: another one boots so much later. */
  replace(after: number, name?: string): Fault & { do: 'boot' }
}

export type Kinds = (draw: Draw) => readonly (() => readonly Fault[])[]

/** Draws a plan from a seed. */
export function draw(seed: number, shape: Shape): Plan {
  const random = new Random(`plan ${seed}`)
  const names = Array.from({ length: shape.instances }, (_, i) => `i${i + 1}`)
  const living = new Set(names)
  const faults: Fault[] = []
  let born = names.length
  const gap = random.pick([800, 2000, 5000])
  let at = 3000
  for (;;) {
    at += random.between(0.1, 2) * gap
    if (at >= shape.trouble) break
    faults.push(...one(random, Math.round(at), living, () => `i${++born}`, shape))
  }
  const over = Math.max(
    shape.trouble,
    ...faults.map(
      (fault) => fault.at + ('ms' in fault && fault.do !== 'step' && fault.do !== 'skew' ? fault.ms : 0),
    ),
  )
  return {
    seed,
    servers: shape.servers,
    instances: names,
    skews: names.map(() =>
      shape.oneClock || random.chance(0.5) ? 0 : Math.round(random.between(-4000, 4000)),
    ),
    calm: over,
    end: over + shape.tail,
    faults: faults.sort((a, b) => a.at - b.at),
  }
}

function one(
  random: Random,
  at: number,
  living: Set<string>,
  fresh: () => string,
  { servers, kinds, oneClock }: Shape,
): readonly Fault[] {
  const who = random.pick([...living])
  const server = random.integer(0, servers - 1)
  const ms = Math.round(random.pick([50, 400, 1500, 4000, 7000]) * random.between(0.5, 1.5))
  const replace = (after: number, gone = who): Fault & { do: 'boot' } => {
    living.delete(gone)
    const name = fresh()
    living.add(name)
    return {
      at: at + after,
      do: 'boot',
      who: name,
      skew: oneClock || random.chance(0.7) ? 0 : Math.round(random.between(-3000, 3000)),
      drift: random.between(-1e-4, 1e-4),
    }
  }
  const draw: Draw = { random, at, who, server, servers, ms, living: [...living], replace }
  return random.pick([...ofInstances(draw), ...kinds(draw)])()
}

const ofInstances: Kinds = ({ random, at, who, ms, replace }) => [
  () => [{ at, do: 'kill', who }, replace(random.integer(100, 4000))],
  () => [{ at, do: 'stop', who }, replace(random.integer(0, 1500))],
  () => [{ at, do: 'stall', who, ms }],
  () => [{ at, do: 'sleep', who, ms }],
]
