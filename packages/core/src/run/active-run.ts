import { AsyncResource } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import { EscapementError } from '../errors.ts'
import type {
  Claim,
  ErrorRecord,
  Group,
  GroupOptions,
  Logger,
  LogLine,
  Maybe,
  Outcome,
  Run,
  RunFacts,
  SkipReason,
} from '../types/index.ts'
import { errorRecord, redactThrown } from '../util/describe.ts'
import { checkFraction } from '../util/validate.ts'
import type { AttemptUnderWay } from './abort-grace.ts'
import { AttemptTasks } from './attempt-tasks.ts'
import { factsOf, type Kept, keptOf } from './facts.ts'
import type { Failure } from './failure.ts'
import type { LazyFields } from './lazy-fields.ts'
import { checkExclusive } from './mutex.ts'
import { logLine, logOf, noteProgress } from './notes.ts'
import { MAX_ERRORS } from './record.ts'
import { NONE } from './snapshot.ts'
import { TaskGroup } from './task-group.ts'
import { WaitingRun } from './waiting-run.ts'

/** A run from its tick to its outcome. What costs something to make is made when it is read. */
export class ActiveRun extends WaitingRun implements Run {
  result: unknown = undefined
  /** Why the attempt under way was aborted. */
  aborted: Error | undefined = undefined
  /** Only the link `attempt` sets it. */
  underWay: AttemptUnderWay | undefined = undefined
  /** Where it is among the runs in flight; -1 outside. Only they write it. */
  index = -1
  /** Releases what the link `overlap` holds for it. */
  onSeal: ((run: ActiveRun) => void) | undefined = undefined
  get data(): unknown {
    return this.requested ? this.lazyFields?.data : this.job.data
  }

  override get facts(): RunFacts {
    return factsOf(this.keep())
  }

  override get logLines(): readonly LogLine[] {
    return this.lazyFields?.notes?.lines.map(logLine) ?? []
  }

  protected override keep(): Kept | undefined {
    return keptOf(this)
  }

  override get errorRecords(): ErrorRecord[] {
    return this.errors.slice(-MAX_ERRORS).map(errorRecord)
  }

  get signal(): AbortSignal {
    const { lazy } = this
    if (!lazy.controller) {
      lazy.controller = new AbortController()
      // As many as there are things that wait in parallel: no leak.
      setMaxListeners(0, lazy.controller.signal)
      // Listeners are called in the context the signal was first read in: the handler's, with its trace.
      // As AsyncLocalStorage.snapshot(), for a tenth of its cost.
      lazy.context = new AsyncResource('escapement.run', MANUAL)
      if (this.aborted) lazy.controller.abort(this.aborted)
    }
    return lazy.controller.signal
  }

  get log(): Logger {
    const { lazy } = this
    lazy.log ??= logOf(this)
    return lazy.log
  }

  assertHeld(): void {
    if (!this.aborted && this.claim && !this.claim.held()) {
      const message = `${this.tick.id} may have been taken over by another instance`
      this.abort(new EscapementError('ERR_ESCAPEMENT_LEASE_LOST', message))
    }
    if (this.aborted) throw this.aborted
  }

  exclusive<T>(name: string, fn: (signal: AbortSignal) => Maybe<T>): Promise<T> {
    checkExclusive(name, fn)
    return this.environment.exclusive(name, fn, this.signal)
  }

  group(options?: GroupOptions): Group {
    const group = new TaskGroup(this.signal, options)
    tasksOf(this).addGroup(group)
    return group
  }

  progress(fraction: number, note?: string): void {
    checkFraction(fraction)
    noteProgress(this, fraction, note)
    this.environment.events.emit('progress', this, note === undefined ? { fraction } : { fraction, note })
  }

  onCleanup(fn: () => unknown): void {
    tasksOf(this).addCleanup(fn)
  }

  cancel(reason = 'cancelled on request'): void {
    this.abort(new EscapementError('ERR_ESCAPEMENT_CANCELLED', reason))
  }

  /** Decides the run before its handler was called. */
  decide(outcome: Outcome, reason?: SkipReason): void {
    this.outcome = outcome
    this.reason = reason
  }

  /** The fleet gave it the tick. */
  takeClaim(claim: Claim): void {
    this.claim = claim
    if (this.state === 'due') this.state = 'claimed'
  }

  /** A new attempt: its own signal, groups and cleanups. */
  beginAttempt(): void {
    this.attempt++
    if (this.attempt === 1) {
      this.wall = this.environment.now()
      this.began = this.environment.clock.monotonic()
    } else {
      if (this.lazyFields) this.lazyFields.controller = undefined
      this.aborted = undefined
    }
    this.state = 'running'
  }

  /** An attempt has failed and another one follows. */
  awaitRetry(): void {
    this.state = 'waiting-retry'
  }

  /** Aborts the whole run. The first reason counts. */
  abort(reason: Error): void {
    if (this.ended || this.lazyFields?.ending || (this.aborted && this.over)) return
    this.lazy.over = true
    const first = this.aborted === undefined
    this.aborted = reason
    this.dismiss()
    if (first) signalAbort(this, reason)
  }

  /** Aborts the attempt under way. Another one may follow. */
  abortAttempt(reason: Error): void {
    if (this.ended || this.lazyFields?.ending || this.aborted) return
    this.aborted = reason
    signalAbort(this, reason)
  }

  /** True when the attempt has groups to wait for or cleanups to call. */
  get hasTasks(): boolean {
    return this.lazyFields?.tasks?.empty === false
  }

  /** Waits for the groups and cleans up. A group's failure is the attempt's. */
  joinTasks(failure?: Failure): Promise<void> {
    return tasksOf(this).join(failure, (error) => this.reportFault(error, 'onCleanup'))
  }

  /** Calls what `onCleanup` was given, the last first. */
  cleanUp(): Promise<void> {
    return tasksOf(this).cleanUp((error) => this.reportFault(error, 'onCleanup'))
  }

  /** Something of this run went wrong that does not end it. */
  reportFault(error: unknown, source: string): void {
    this.environment.report(error, { source, run: this })
  }

  recordFailure(error: unknown): void {
    if (this.errors === NONE) this.errors = []
    this.errors.push(redactThrown(error, this.environment.redact))
  }

  /** The outcome if the run ended now, with this failure or with none. */
  outcomeOf(failure?: Failure): Outcome {
    if (this.outcome) return this.outcome
    if (this.lazyFields?.ending) return this.lazyFields.ending.outcome
    if (this.attempt === 0 && !failure) return 'skipped'
    if (!failure) return 'succeeded'
    if (!this.aborted || failure.error !== this.aborted) return 'failed'
    switch ((this.aborted as EscapementError).code) {
      case 'ERR_ESCAPEMENT_TIMEOUT':
        return 'timed-out'
      case 'ERR_ESCAPEMENT_LEASE_LOST':
        return 'lease-lost'
      default:
        return 'cancelled'
    }
  }

  /** From here on nothing changes how the run ends. */
  conclude(result: unknown, failure?: Failure): Outcome {
    const outcome = this.outcomeOf(failure)
    this.lazy.ending = { outcome, result, failure }
    return outcome
  }

  /** Ends the run. What links hold for it is free from here on. */
  seal(result: unknown, failure?: Failure): Outcome {
    if (failure && (this.errors.length < this.attempt || this.attempt === 0))
      this.recordFailure(failure.error)
    this.result = result
    const outcome = this.outcomeOf(failure)
    this.outcome = outcome
    this.state = outcome
    this.endedAtMono = this.environment.clock.monotonic()
    this.underWay = undefined
    const { onSeal } = this
    this.onSeal = undefined
    onSeal?.(this)
    return outcome
  }
}

// Functions, not private methods: those would make each run larger.
function signalAbort(run: ActiveRun, reason: Error): void {
  const { controller, context } = run.lazyFields ?? NOTHING
  if (controller) context?.runInAsyncScope(() => controller.abort(reason))
  if (run.state === 'running') run.environment.abortGrace.begin(run)
}

function tasksOf({ lazy }: ActiveRun): AttemptTasks {
  lazy.tasks ??= new AttemptTasks()
  return lazy.tasks
}

const MANUAL = { requireManualDestroy: true }
const NOTHING: Partial<LazyFields> = {}
