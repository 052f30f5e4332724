import type {
  Abandoned,
  Cause,
  Claim,
  ErrorRecord,
  LogLine,
  Outcome,
  RunFacts,
  RunRecord,
  SkipReason,
  State,
  Tick,
} from '../types/index.ts'
import { serial, tickId, timeOrderedId } from '../util/ids.ts'
import { shownAs } from '../util/shown-as.ts'
import type { RunEnvironment } from './environment.ts'
import { factsOf, type Kept } from './facts.ts'
import { logLine } from './notes.ts'
import { toRecord } from './record.ts'
import type { RunnableJob } from './runnable-job.ts'

/** What a run is made of. */
export interface RunOrigin {
  readonly job: RunnableJob
  readonly cause: Cause
  /** The nominal instant, in ms. */
  readonly at: number
  /** When it was found due, in ms. */
  readonly wall: number
  readonly parts?: RunParts | undefined
  /** Of a run that has an id already. */
  readonly givenId?: string | undefined
  /** Of a copy: which of this process's runs it is. */
  readonly serial?: number
}

/** What else there is to know of a tick. Most ticks have nothing of it. */
export interface RunParts {
  /** How often the clock had been set back over this instant. */
  fold?: number
  claim?: Claim
  /** A newer tick of the job is due as well. */
  superseded?: boolean
  /** The run stands for all ticks up to this instant. */
  until?: Date | undefined
  /** The run was another instance's, which died. */
  abandoned?: Abandoned
}

export const ORDINARY: RunParts = Object.freeze({})

/** What history keeps of a run. Results, signals and listeners are left out, so that they can be collected. */
export class RunSnapshot {
  environment: RunEnvironment
  job: RunnableJob
  cause: Cause
  /** The nominal instant, in ms. */
  at: number
  parts: RunParts
  claim: Claim | undefined
  state: State = 'due'
  outcome: Outcome | undefined = undefined
  reason: SkipReason | undefined = undefined
  attempt = 0
  errors: unknown[] = NONE
  traceId: string | undefined = undefined
  /** When it was found due, in ms: the time in its id. */
  made: number
  /** When it was found due, then when the first attempt began. */
  wall: number
  /** Monotonic time when the first attempt began, and when the run ended, in ms. */
  began: number = NaN
  endedAtMono: number = NaN
  /** Which of this process's runs it is. */
  serial: number
  /** Its id, when that is not made of its time and number. */
  givenId: string | undefined
  /** Of a copy. */
  kept: Kept | undefined = undefined

  constructor(environment: RunEnvironment, origin: RunOrigin) {
    const { parts = ORDINARY } = origin
    this.environment = environment
    this.job = origin.job
    this.cause = origin.cause
    this.at = origin.at
    this.made = origin.wall
    this.wall = origin.wall
    this.parts = parts
    this.claim = parts.claim
    this.givenId = origin.givenId ?? parts.abandoned?.id
    this.serial = origin.serial ?? serial()
  }

  /**
   * A copy, with its errors described.
   *
   * @param copy A snapshot that is not needed any more. A full history makes no garbage of long life when it uses them again.
   */
  remember(copy: RunSnapshot = new RunSnapshot(this.environment, this)): RunSnapshot {
    copy.environment = this.environment
    copy.job = this.job
    copy.cause = this.cause
    copy.at = this.at
    copy.made = this.made
    copy.wall = this.wall
    copy.parts = this.parts
    copy.claim = this.claim
    copy.state = this.state
    copy.outcome = this.outcome
    copy.reason = this.reason
    copy.attempt = this.attempt
    // Not the errors: a response that hangs on one may be larger than all the history.
    copy.errors = this.errors.length === 0 ? NONE : this.errorRecords
    copy.traceId = this.traceId
    copy.began = this.began
    copy.endedAtMono = this.endedAtMono
    copy.kept = this.keep()
    copy.serial = this.serial
    copy.givenId = this.givenId
    return copy
  }

  /** What its handler had and said; undefined when there is none of it. */
  protected keep(): Kept | undefined {
    return this.kept
  }

  get until(): Date | undefined {
    return this.parts.until
  }

  get id(): string {
    return this.givenId ?? timeOrderedId(this.made, this.serial)
  }

  get tick(): Tick {
    const job = this.job.name
    const { at, parts } = this
    const { fold = 0 } = parts
    return { id: tickId(job, at, fold), job, scheduledAt: new Date(at), fold }
  }

  get key(): string {
    return this.requested ? this.id : this.tick.id
  }

  get requested(): boolean {
    return this.cause === 'manual' || this.cause === 'retry'
  }

  get instance(): string {
    return this.parts.abandoned?.instance ?? this.environment.instance
  }

  get restarts(): number {
    return (this.claim ?? this.parts.abandoned)?.restarts ?? 0
  }

  get fence(): number | undefined {
    return (this.claim ?? this.parts.abandoned)?.fence
  }

  get facts(): RunFacts {
    return factsOf(this.kept)
  }

  get logLines(): readonly LogLine[] {
    return this.kept?.lines.map(logLine) ?? []
  }

  /** Its errors as they are kept. */
  get errorRecords(): ErrorRecord[] {
    return this.errors as ErrorRecord[]
  }

  get late(): number {
    return Math.max(0, this.wall - this.at)
  }

  get duration(): number {
    if (this.attempt === 0) return 0
    return (this.ended ? this.endedAtMono : this.environment.clock.monotonic()) - this.began
  }

  get error(): unknown {
    return this.errors.at(-1)
  }

  get startedAt(): Date | undefined {
    return this.attempt === 0 ? undefined : new Date(this.wall)
  }

  get endedAt(): Date | undefined {
    if (!this.ended) return undefined
    const { environment } = this
    return new Date(Math.round(environment.now() - environment.clock.monotonic() + this.endedAtMono))
  }

  get ended(): boolean {
    return !Number.isNaN(this.endedAtMono)
  }

  toJSON(): RunRecord {
    return toRecord(this)
  }
}

/** Shared by all runs without an error: it is replaced, never filled. */
export const NONE: unknown[] = []

shownAs('Run', RunSnapshot, (run) => {
  const { key, state, reason, attempt, duration, error } = run.toJSON()
  return { key, state, reason, attempt, duration, error: error?.message }
})
