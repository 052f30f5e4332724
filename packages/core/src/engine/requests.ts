import { EscapementError } from '../errors.ts'
import { STORE_TIMEOUT_MS } from '../store/query.ts'
import type { Clock, Logger, RunRecord } from '../types/index.ts'
import { describe } from '../util/describe.ts'
import { answer } from '../util/time.ts'

/** The most bytes of data that runs hold which were asked for and have not ended. */
const MAX_BYTES = 64 * 1024 * 1024

/** Counts the runs that were asked for and have not ended, and refuses further ones at a limit. */
export class Requests {
  readonly #log: Logger
  readonly #max: number
  #runs = 0
  #bytes = 0
  /** The line that it is full was written. */
  #full = false

  constructor(log: Logger, max: number) {
    this.#log = log
    this.#max = max
  }

  /** @throws ERR_ESCAPEMENT_QUEUE_FULL */
  enter(job: string, bytes: number): void {
    if (this.#runs >= this.#max || this.#bytes + bytes > MAX_BYTES) {
      const message = `${this.#runs} requested runs are under way or wait: further ones are refused`
      if (!this.#full) this.#log.warn({ runs: this.#runs, bytes: this.#bytes, job }, message)
      this.#full = true
      throw new EscapementError('ERR_ESCAPEMENT_QUEUE_FULL', `${message}, as this one of ${job}`)
    }
    this.#runs++
    this.#bytes += bytes
  }

  leave(bytes: number): void {
    this.#runs--
    this.#bytes -= bytes
    // Not at each run that makes room for one more.
    if (this.#full && this.#runs < this.#max * 0.9 && this.#bytes < MAX_BYTES * 0.9) this.#full = false
  }
}

/** What a durable store answers to a request. Its own troubles get a code, with which servers answer 503. */
export async function accepted(kept: Promise<string>, clock: Clock): Promise<string> {
  try {
    return await answer(clock, kept, STORE_TIMEOUT_MS, 'the store')
  } catch (cause) {
    if (cause instanceof EscapementError) throw cause
    const message = `the request cannot be kept now: ${describe(cause).message}`
    throw new EscapementError('ERR_ESCAPEMENT_UNAVAILABLE', message, { cause })
  }
}

/** Why a requested run has ended without having begun. */
export function notRun({ job, reason, outcome, error }: RunRecord): EscapementError {
  if (reason === 'shutdown')
    return new EscapementError('ERR_ESCAPEMENT_STOPPED', `the scheduler was stopped: ${job} was not run`)
  const why = error ? `: ${error.message}` : ''
  return new EscapementError('ERR_ESCAPEMENT_NOT_RUN', `${job} was not run: ${reason ?? outcome}${why}`)
}

/** What a request can meet though nobody has made a mistake. */
const STATES: readonly unknown[] = [
  'ERR_ESCAPEMENT_NOT_RUN',
  'ERR_ESCAPEMENT_QUEUE_FULL',
  'ERR_ESCAPEMENT_STOPPED',
  'ERR_ESCAPEMENT_UNAVAILABLE',
]

/** The same promise, but when nobody handles that the run was not begun, the process does not end by it. */
export function harmless<T>(asked: Promise<T>): Promise<T> {
  const answer = new Promise<T>((resolve, reject) => {
    asked.then(resolve, (error) => {
      if (STATES.includes(error?.code)) answer.catch(() => {})
      reject(error)
    })
  })
  return answer
}
