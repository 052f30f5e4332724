import type { Engine } from '../engine/engine.ts'
import type { JobEntry } from '../jobs/job-entry.ts'
import type { Abandoned, Cause, Claim, Outcome, RunRecord, SkipReason, State, Tick } from '../types/index.ts'
import { errorRecord } from '../util/describe.ts'
import { iso, serial, timeOrderedId } from '../util/ids.ts'
import { shownAs } from '../util/shown-as.ts'
import { MAX_ERRORS, toRecord } from './record.ts'

/** What makes a run, beside its job, its cause and its instant. Most ticks have nothing of it. */
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

/** What is remembered of a run: not its result, its signal, its listeners, whatever their size. */
export class Facts {
  engine: Engine
  job: JobEntry
  trigger: Cause
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
  /** When it was found due, then when the first attempt began. */
  wall: number
  /** Monotonic, in ms. */
  endedAtMono: number = NaN
  /** Which of this process's runs it is. */
  serial: number = serial()
  madeId: string | undefined

  constructor(
    engine: Engine,
    job: JobEntry,
    trigger: Cause,
    at: number,
    wall: number,
    parts: RunParts = ORDINARY,
  ) {
    this.engine = engine
    this.job = job
    this.trigger = trigger
    this.at = at
    this.wall = wall
    this.parts = parts
    this.claim = parts.claim
    this.madeId = parts.abandoned?.id
  }

  /** A copy, with its errors described: `into` what was one of another run, so that remembering makes no garbage. */
  remember(into?: Facts): Facts {
    const { engine, job, trigger, at, wall, parts } = this
    const facts = into ?? new Facts(engine, job, trigger, at, wall, parts)
    facts.engine = engine
    facts.job = job
    facts.trigger = trigger
    facts.at = at
    facts.wall = wall
    facts.parts = parts
    facts.claim = this.claim
    facts.state = this.state
    facts.outcome = this.outcome
    facts.reason = this.reason
    facts.attempt = this.attempt
    // Not the errors: a response that hangs on one may be larger than all the history.
    facts.errors = this.errors.length === 0 ? NONE : this.errors.slice(-MAX_ERRORS).map(errorRecord)
    facts.traceId = this.traceId
    facts.endedAtMono = this.endedAtMono
    facts.serial = this.serial
    facts.madeId = this.madeId
    return facts
  }

  get until(): Date | undefined {
    return this.parts.until
  }

  get id(): string {
    this.madeId ??= timeOrderedId(this.wall, this.serial)
    return this.madeId
  }

  get tick(): Tick {
    const job = this.job.name
    const { at, parts } = this
    const { fold } = parts
    return {
      id: `${job}@${iso(at)}${fold ? `~${fold + 1}` : ''}`,
      job,
      scheduledAt: new Date(at),
    }
  }

  get key(): string {
    return this.trigger === 'manual' ? this.id : this.tick.id
  }

  get instance(): string {
    return this.parts.abandoned?.instance ?? this.engine.instance
  }

  get start(): number {
    return (this.claim ?? this.parts.abandoned)?.start ?? 1
  }

  get fence(): number | undefined {
    return (this.claim ?? this.parts.abandoned)?.fence
  }

  get error(): unknown {
    return this.errors.at(-1)
  }

  get startedAt(): Date | undefined {
    return this.attempt === 0 ? undefined : new Date(this.wall)
  }

  get endedAt(): Date | undefined {
    const { clock } = this.engine
    return this.ended
      ? new Date(Math.round(this.engine.now() - clock.monotonic() + this.endedAtMono))
      : undefined
  }

  get ended(): boolean {
    return !Number.isNaN(this.endedAtMono)
  }

  toJSON(): RunRecord {
    return toRecord(this)
  }
}

export const NONE: unknown[] = []

shownAs('Run', Facts)
