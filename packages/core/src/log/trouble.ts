import type { Clock, Logger } from '../types/index.ts'
import { describe } from '../util/describe.ts'

/** A fault that comes and goes is reported again after this time at the earliest, in ms. */
const QUIET = 60_000

interface Fault {
  /** What is wrong, in one line; undefined when it is over. */
  reason: string | undefined
  /** How often it was met since it was reported. */
  met: number
  told: boolean
  toldAt: number
}

/** What fails again and again: one line when it begins, and one when it is over. */
export class Troubles {
  readonly #log: Logger
  readonly #clock: Clock
  readonly #faults = new Map<string, Fault>()
  #failing = 0

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** What is wrong now. */
  get reasons(): string[] {
    return [...this.#faults.values()].flatMap(({ reason }) => reason ?? [])
  }

  /**
   * Something has failed. True when it was reported.
   *
   * @param what Names it, e.g. `store.record`.
   * @param effect What it means for the app.
   */
  fail(what: string, error: unknown, effect: string): boolean {
    const fault = this.#faults.get(what) ?? { reason: undefined, met: 0, told: false, toldAt: -Infinity }
    this.#faults.set(what, fault)
    if (fault.reason === undefined) this.#failing++
    const { message, code } = describe(error)
    const cause = code === undefined || message.includes(code) ? message : `${message} (${code})`
    fault.reason = `${what} fails: ${cause.replaceAll('\n', ' ')}`
    fault.met++
    const now = this.#clock.monotonic()
    if (fault.told || now - fault.toldAt < QUIET) return false
    fault.told = true
    fault.toldAt = now
    this.#log.error({ source: what }, `${fault.reason}: ${effect}`)
    return true
  }

  /** It works. Costs nothing when nothing fails. */
  works(what: string): void {
    if (this.#failing === 0) return
    const fault = this.#faults.get(what)
    if (fault?.reason === undefined) return
    this.#failing--
    fault.reason = undefined
    if (!fault.told) return
    this.#log.warn({ source: what, failures: fault.met }, `${what} works again`)
    fault.told = false
    fault.met = 0
  }
}
