import { fileURLToPath } from 'node:url'
import { Processes } from '../../packages/postgres/test/processes.ts'

export type Version = 'before' | 'this'

/** What an instance writes. */
export interface Line {
  readonly name: string
  readonly event: 'ready' | 'begin' | 'settled' | 'log'
  readonly job: string
  readonly key: string
  readonly cause: string
  /** 1 for the first start of a tick. */
  readonly start: number
  readonly outcome?: string
  readonly reason?: string
  readonly fence?: number
  readonly until?: string
  readonly text?: string
}

/** A record of the history, in the words that both versions can say. */
export interface Told {
  readonly key: string
  readonly scheduledAt: string
}

export interface FleetOptions {
  readonly backend: 'sqlite' | 'postgres' | 'redis-lock'
  /** How the backend is reached: a file, options of a pool, a URL. */
  readonly server: unknown
  /** How long an instance is held for alive without a heartbeat, in ms. Default 1000. */
  readonly lease?: number
  /** How long a run takes, in ms. Default 400. */
  readonly takes?: number
}

const script = fileURLToPath(new URL('./instance.mjs', import.meta.url))

/** How many jobs there are of each kind. */
const OF_EACH = 5
const numbered = (kind: string) => Array.from({ length: OF_EACH }, (_, i) => `${kind}-${i + 1}`)
/** Jobs that are due every second: those with this `onAbandoned`, and one whose attempts fail. */
export const JOBS: readonly string[] = [...numbered('record'), ...numbered('rerun'), 'failing-1']

/** Instances of both versions in one fleet, as processes, with the same jobs. */
export class Fleet extends Processes<Line> {
  constructor(options: FleetOptions) {
    super({ lease: 1000, takes: 400, jobs: JOBS, ...options }, script)
  }

  /** Starts instances: `before-1` is one of the version before, `this-1` one of this version. */
  async startAll(...names: `${Version}-${number}`[]): Promise<void> {
    await Promise.all(names.map((name) => this.start(name, { version: name.split('-')[0] })))
  }

  async stopAll(...names: string[]): Promise<void> {
    await Promise.all(names.map((name) => this.stop(name)))
  }

  /** Resolves with a line of this kind, also one that is there already. */
  async seen(until: (line: Line) => boolean, what: string): Promise<Line> {
    return this.lines.find(until) ?? (await this.line(until, what))
  }

  /**
   * Kills an instance in the middle of runs of both kinds of job, while the other one leaves the ticks to it. Resolves with
   * the lines of a begin of each kind.
   */
  async killInRuns(name: string, other: string): Promise<{ record: Line; rerun: Line }> {
    const begun = new Map<string, Line>()
    const both = this.line((line) => {
      if (line.name !== name) return false
      if (line.event === 'begin') begun.set(kindOf(line), line)
      if (line.event === 'settled' && begun.get(kindOf(line))?.key === line.key) begun.delete(kindOf(line))
      return begun.has('record') && begun.has('rerun')
    }, `${name} to run jobs of both kinds at once`)
    await Promise.all([both, this.ask(other, 'yield', true)])
    await this.stop(name, 'SIGKILL')
    await this.ask(other, 'yield', false)
    return { record: begun.get('record') as Line, rerun: begun.get('rerun') as Line }
  }

  history(name: string, job: string): Promise<Told[]> {
    return this.ask(name, 'history', { job, limit: 1000 })
  }
}

/** What is wrong with the ticks of a job by what all instances have written: doubled, lost, or without an end. */
export function faults(lines: readonly Line[], job: string): string[] {
  const own = lines.filter((line) => line.job === job)
  const begins = own.filter(({ event }) => event === 'begin')
  const ends = own.filter(({ event, reason }) => event === 'settled' && !UNDECIDED.includes(`${reason}`))
  const succeeded = ends.filter(({ outcome }) => outcome === 'succeeded').map(({ key }) => key)
  const rerun = job.startsWith('rerun')
  const found = [
    ...repeated(begins.map(({ key, start }) => (rerun ? `${key} start ${start}` : key))).map(
      (start) => `${start} began twice`,
    ),
    ...repeated(succeeded).map((key) => `${key} succeeded twice`),
  ]
  if (rerun) {
    const open = begins.filter(({ key }) => !succeeded.includes(key))
    found.push(...open.map(({ key }) => `${key} began and did not succeed`))
  }
  const instants = [...begins, ...ends].map(({ key }) => instantOf(key))
  const last = Math.max(...instants)
  for (let at = Math.min(...instants); at <= last; at += 1000) {
    const decides = ({ key, until }: Line) =>
      instantOf(key) === at || (instantOf(key) < at && at <= Date.parse(until ?? ''))
    if (!ends.some(decides)) found.push(`${job}@${new Date(at).toISOString()} has no end`)
  }
  return found
}

/** Reasons by which an instance leaves a tick to the others. */
const UNDECIDED = ['claimed-elsewhere', 'shutdown']

function kindOf({ job }: Line): string {
  return job.slice(0, job.indexOf('-'))
}

function instantOf(key: string): number {
  return Date.parse(key.slice(key.indexOf('@') + 1))
}

function repeated(all: readonly string[]): string[] {
  return all.filter((one, i) => all.indexOf(one) < i)
}
