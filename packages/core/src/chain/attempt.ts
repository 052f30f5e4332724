import type { ActiveRun } from '../run/active-run.ts'
import { runs, scope } from '../run/context.ts'
import type { Failure } from '../run/failure.ts'
import { isPromise } from '../util/promise.ts'
import { checkResult } from './handler.ts'

/**
 * The end of the chain: calls the handler in the context of its run.
 *
 * Once aborted, an attempt fails with the reason of the abort whatever the handler makes of it, and after the
 * grace even if the handler never settles.
 */
export function attempt(run: ActiveRun): unknown {
  try {
    // In a context of its own: what the handler enters for good is not seen by another attempt, run or listener.
    return attend(run, scope().runInAsyncScope(enter, undefined, run))
  } catch (error) {
    return attend(run, Promise.reject(error))
  }
}

function enter(run: ActiveRun): unknown {
  runs.enterWith(run)
  const { handler, policies } = run.job
  return policies.executor ? policies.executor.execute(run, handler) : handler(run)
}

function attend(run: ActiveRun, returned: unknown): unknown {
  if (!isPromise(returned) && !run.hasTasks && !run.aborted) {
    checkResult(run.job.name, returned)
    return returned
  }
  return new Attempt(run, returned)
}

type Settle = (value: unknown) => unknown

/* oxlint-disable unicorn/no-thenable */

/**
 * An attempt whose handler has not ended yet. Whoever called the chain waits for it once, by `await` or `then()`.
 * It is no promise: with async hooks on, three promises for each run cost as much as all other links.
 */
class Attempt {
  readonly #run: ActiveRun
  readonly #returned: unknown
  #resolve: Settle | undefined
  #reject: Settle | undefined

  constructor(run: ActiveRun, returned: unknown) {
    this.#run = run
    this.#returned = returned
  }

  // biome-ignore lint/suspicious/noThenProperty: whoever calls the chain awaits it.
  then(resolve: Settle, reject: Settle): void {
    this.#resolve = resolve
    this.#reject = reject
    const run = this.#run
    run.underWay = this
    if (run.aborted) run.environment.abortGrace.begin(run)
    Promise.resolve(this.#returned).then(
      (value) => this.#end(value),
      (error: unknown) => this.#end(undefined, { error }),
    )
  }

  /** Ends it without its handler. */
  forceEnd(reason: unknown): void {
    const reject = this.#reject
    this.#resolve = undefined
    this.#reject = undefined
    reject?.(reason)
  }

  #end(value: unknown, failure?: Failure): void {
    const run = this.#run
    if (run.hasTasks) {
      void join(run, failure).then((later) => this.#end(value, later))
      return
    }
    if (run.underWay === this) run.underWay = undefined
    const why = failureOf(run, value, failure)
    if (why) this.forceEnd(why.error)
    else this.#resolve?.(value)
  }
}

/** Waits for what the handler began. Gives its failure, or the one of the handler. */
function join(run: ActiveRun, failure?: Failure): Promise<Failure | undefined> {
  return run.joinTasks(failure).then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
}

/** Why an attempt has failed whose handler returned this value, or failed. */
function failureOf(run: ActiveRun, value: unknown, failure?: Failure): Failure | undefined {
  if (run.aborted) return { error: becauseOf(run.aborted, failure?.error) }
  if (failure) return failure
  try {
    checkResult(run.job.name, value)
  } catch (error) {
    return { error }
  }
  return undefined
}

/** The reason of the abort, with what the handler threw on its way out. */
function becauseOf(reason: Error, error: unknown): Error {
  if (error !== reason && reason.cause === undefined) reason.cause = error
  return reason
}
