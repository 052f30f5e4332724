import type { Engine } from './engine.ts'
import { iso, timeOrderedId } from './ids.ts'
import type { Abandoned, Cause, Claim, Outcome, SkipReason, State, Tick } from './interfaces.ts'
import type { JobEntry } from './job.ts'

/** What makes a run, beside its job and its cause. */
export interface RunParts {
  /** The nominal instant, in ms. */
  at: number
  /** How often the clock had been set back over this instant. */
  fold?: number
  claim?: Claim
  /** A newer tick of the job is due as well. */
  superseded?: boolean
  /** When it was found due, if that is known. */
  wall?: number
  /** The run stands for all ticks up to this instant. */
  until?: Date | undefined
  /** The run was another instance's, which died. */
  abandoned?: Abandoned
  /** Made when it is touched. Here, so that the run and what is kept of it agree. */
  id?: string | undefined
}

/** What is remembered of a run: not its result, its signal, its listeners, whatever their size. */
export class Facts {
  readonly engine: Engine
  readonly job: JobEntry
  readonly trigger: Cause
  readonly parts: RunParts
  claim: Claim | undefined
  state: State = 'due'
  outcome: Outcome | undefined = undefined
  reason: SkipReason | undefined = undefined
  attempt = 0
  errors: unknown[] = NONE
  traceId: string | undefined = undefined
  /** When the first attempt began. */
  wall: number
  /** Monotonic, in ms. */
  endedAtMono: number = NaN

  constructor(engine: Engine, job: JobEntry, trigger: Cause, parts: RunParts) {
    this.engine = engine
    this.job = job
    this.trigger = trigger
    this.parts = parts
    this.claim = parts.claim
    this.wall = parts.wall ?? NaN
  }

  /** A copy. */
  get facts(): Facts {
    const facts = new Facts(this.engine, this.job, this.trigger, this.parts)
    facts.claim = this.claim
    facts.state = this.state
    facts.outcome = this.outcome
    facts.reason = this.reason
    facts.attempt = this.attempt
    facts.errors = this.errors
    facts.traceId = this.traceId
    facts.wall = this.wall
    facts.endedAtMono = this.endedAtMono
    return facts
  }

  /** The nominal instant, in ms. */
  get at(): number {
    return this.parts.at
  }

  get until(): Date | undefined {
    return this.parts.until
  }

  get id(): string {
    this.parts.id ??= timeOrderedId(this.wall || this.engine.now())
    return this.parts.id
  }

  get tick(): Tick {
    const job = this.job.name
    const { at, fold } = this.parts
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
}

export const NONE: unknown[] = []
