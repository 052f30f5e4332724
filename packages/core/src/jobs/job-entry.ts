import type { Chain } from '../chain/compose.ts'
import type { ActiveRun } from '../run/active-run.ts'
import type { QueuedRun, RunnableJob } from '../run/runnable-job.ts'
import type {
  AcceptedRun,
  Handler,
  Job,
  JobFacts,
  Outcome,
  PauseInfo,
  PauseOptions,
  Policies,
  RunOptions,
  RunRecord,
  Trigger,
} from '../types/index.ts'
import { fnv1a } from '../util/hash.ts'
import type { HeapEntry } from '../util/heap.ts'
import { shownAs } from '../util/shown-as.ts'

/** What a job asks of the scheduler it is registered with. */
export interface JobController {
  request(job: JobEntry, data: unknown, options: RunOptions | undefined): Promise<AcceptedRun | RunRecord>
  remove(job: JobEntry): void
  pause(job: JobEntry, options: PauseOptions): Promise<void>
  resume(job: JobEntry, info: PauseInfo): Promise<void>
  /** The pause of all jobs. */
  readonly allPaused: PauseInfo | undefined
}

/** Where a job is in the timetable. Only the timetable writes it. */
export interface JobTiming {
  /** When it is due: the tick and its spread, in ms. */
  due: number
  /** Where it is in the due queue while it is armed. */
  bucket: DueBucket | undefined
  index: number
  /** The nominal instant of the armed tick, in ms. */
  at: number
  /** The last tick that was decided, in ms, and how often the clock had been set back then. */
  decided: number
  fold: number
  /** It is not armed until this run has ended: its late ticks are run one after the other. */
  awaits: ActiveRun | undefined
  /** Its trigger has no more ticks. */
  exhausted: boolean
}

/** The jobs that are due at one instant. */
export interface DueBucket extends HeapEntry {
  /** In the order they are fired; those that have left are undefined. */
  jobs: (JobEntry | undefined)[]
  /** How much of `jobs` is in use. */
  size: number
  left: number
  /** Where the first one is that may not have left. */
  first: number
  /** By registration. */
  sorted: boolean
}

/** How many runs of a job are under way, and how the last one ended. Only the engine writes it. */
export interface JobStatistics {
  running: number
  lastOutcome: Outcome | undefined
  lastAt: number
}

/** A registered job. As small as can be: an app may have a hundred thousand. */
export class JobEntry implements RunnableJob, JobTiming, JobStatistics {
  readonly name: string
  readonly trigger: Trigger
  readonly handler: Handler
  readonly policies: Policies
  readonly data: unknown
  readonly chain: Chain
  /** By registration. */
  readonly order: number
  /** How much later than its tick it starts, in ms. */
  readonly spread: number

  // NaN, not 0, where a fraction or a large number is to come: the engine need not make room for it then.
  due: number = NaN
  bucket: DueBucket | undefined = undefined
  index = 0
  at: number = NaN
  decided: number = -Infinity
  fold = 0
  awaits: ActiveRun | undefined = undefined
  exhausted = false

  // A number, not the run: an old object that points to a young one makes work for the garbage collector.
  holding = -1
  queued: QueuedRun | undefined = undefined

  running = 0
  lastOutcome: Outcome | undefined = undefined
  lastAt: number = NaN

  memory: unknown = undefined

  /** This instance runs it: it has the role of the job. */
  readonly here: boolean
  /** Its own pause. Only the pauses of the fleet write it. */
  ownPause: PauseInfo | undefined
  readonly #controller: JobController

  constructor(
    controller: JobController,
    order: number,
    parts: {
      name: string
      trigger: Trigger
      handler: Handler
      policies: Policies
      data: unknown
      chain: Chain
    },
    { paused, here }: { paused: boolean; here: boolean },
  ) {
    this.#controller = controller
    this.order = order
    this.name = parts.name
    this.trigger = parts.trigger
    this.handler = parts.handler
    this.policies = parts.policies
    this.spread = parts.policies.spread && spread(parts.name, parts.policies.spread)
    this.data = parts.data
    this.chain = parts.chain
    this.ownPause = paused ? {} : undefined
    this.here = here
  }

  get description(): string | undefined {
    return this.policies.description
  }
  get owner(): string | undefined {
    return this.policies.owner
  }
  get runbook(): string | undefined {
    return this.policies.runbook
  }
  get group(): string | undefined {
    return this.policies.group
  }

  get role(): string | undefined {
    return this.policies.role
  }

  get paused(): PauseInfo | undefined {
    return this.ownPause ?? this.#controller.allPaused
  }

  get last(): Job['last'] {
    return this.lastOutcome && { outcome: this.lastOutcome, at: new Date(this.lastAt) }
  }

  get next(): Date | undefined {
    return this.bucket === undefined ? undefined : new Date(this.at)
  }

  run(data: unknown, options: RunOptions & { wait: true }): Promise<RunRecord>
  run(data?: unknown, options?: RunOptions): Promise<AcceptedRun>
  run(data?: unknown, options?: RunOptions): Promise<AcceptedRun | RunRecord> {
    return this.#controller.request(this, data, options)
  }

  pause(options: PauseOptions = {}): Promise<void> {
    return this.#controller.pause(this, options)
  }

  resume(info: PauseInfo = {}): Promise<void> {
    return this.#controller.resume(this, info)
  }

  remove(): void {
    this.#controller.remove(this)
  }

  [Symbol.dispose](): void {
    this.remove()
  }

  toJSON(): JobFacts {
    const { name, trigger, description, owner, runbook, group, role, next, running, paused, last } = this
    const { expression: schedule, timezone } = trigger
    return {
      name,
      ...known({ schedule, timezone, description, owner, runbook, group, role, next }),
      running,
      ...known({ paused, last }),
    }
  }
}

/** Without what is undefined. */
function known<T extends object>(facts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as typeof facts
}

/** Always the same delay for a name, evenly spread from 0 to `range` ms. */
function spread(name: string, range: number): number {
  return Math.floor((fnv1a(name) / 2 ** 32) * range)
}

shownAs('Job', JobEntry, (job) => job.toJSON())
