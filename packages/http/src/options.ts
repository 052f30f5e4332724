import { type Duration, EscapementError, parseDuration } from '@escapement/core'

/** How a scheduler follows the life of the servers that serve its middleware. */
export interface MiddlewareOptions {
  /**
   * When the scheduler starts.
   * - `'auto'`: when a server of the app listens; on a port given by the system only after a second, and not
   *   with `NODE_ENV=test`, so that tests with supertest do not run jobs.
   * - `'always'`: when a server of the app listens, whatever the port and environment.
   * - `'never'`: by `scheduler.start()` only. It is still drained when the last server closes.
   *
   * Default `'auto'`.
   */
  start?: 'auto' | 'always' | 'never'
  /** Time for runs to finish when the last server closes. Default: the scheduler's `drain.grace`, 25 s. */
  grace?: Duration
  /** Shut down on SIGTERM and SIGINT: not ready, close, drain, end. Default false. */
  signals?: boolean | SignalOptions
  /** Report a run that writes to a finished response. Default: unless `NODE_ENV` is `production`. */
  guard?: boolean
}

export interface SignalOptions {
  /** Default `['SIGTERM', 'SIGINT']`. */
  on?: readonly NodeJS.Signals[]
  /** How long to be not ready before the servers close, for load balancers to notice. Default 0. */
  delay?: Duration
  /** How long open connections may go on once the runs are done, before they are cut. Default 5 s. */
  linger?: Duration
  /** End with this exit code. Default: by the signal itself, as without a handler. */
  exitCode?: number
}

/** Checked, in milliseconds. */
export interface Options {
  readonly start: 'auto' | 'always' | 'never'
  readonly grace: number | undefined
  readonly signals: SignalSettings | undefined
  readonly guard: boolean
}

export interface SignalSettings {
  readonly on: readonly NodeJS.Signals[]
  readonly delay: number
  readonly linger: number
  readonly exitCode: number | undefined
}

/** The longest time a timer can wait. */
const MAX = 2 ** 31 - 1

/** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION */
export function parseOptions(given: MiddlewareOptions = {}): Options {
  checkKeys(given, ['start', 'grace', 'signals', 'guard'], 'middleware option')
  const { start = 'auto', grace, signals = false, guard = process.env.NODE_ENV !== 'production' } = given
  if (!['auto', 'always', 'never'].includes(start)) {
    refuse('start', "'auto', 'always' or 'never'", start)
  }
  if (typeof guard !== 'boolean') refuse('guard', 'true or false', guard)
  return {
    start,
    grace: grace === undefined ? undefined : parseDuration(grace, 'grace', { max: MAX }),
    signals: signals === false ? undefined : parseSignals(signals === true ? {} : signals),
    guard,
  }
}

function parseSignals(given: SignalOptions): SignalSettings {
  if (typeof given !== 'object' || given === null) refuse('signals', 'true, false or an object', given)
  checkKeys(given, ['on', 'delay', 'linger', 'exitCode'], 'option of signals')
  const { on = ['SIGTERM', 'SIGINT'], delay = 0, linger = '5s', exitCode } = given
  if (!Array.isArray(on) || on.length === 0 || !on.every((name) => /^SIG[A-Z0-9]+$/.test(name))) {
    refuse('signals.on', "an array of names such as 'SIGTERM'", on)
  }
  if (exitCode !== undefined && !(Number.isInteger(exitCode) && exitCode >= 0 && exitCode < 256)) {
    refuse('signals.exitCode', 'an integer from 0 to 255', exitCode)
  }
  return {
    on,
    delay: parseDuration(delay, 'signals.delay', { max: MAX }),
    linger: parseDuration(linger, 'signals.linger', { max: MAX }),
    exitCode,
  }
}

/** Refuses keys that are not options. */
export function checkKeys(given: object, known: readonly string[], what: string): void {
  if (typeof given !== 'object' || given === null) refuse(`${what}s`, 'an object', given)
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue
    throw new EscapementError(
      'ERR_ESCAPEMENT_OPTION',
      `there is no ${what} "${key}": expected one of ${known.join(', ')}`,
    )
  }
}

export function refuse(option: string, expected: string, given: unknown): never {
  const shown = typeof given === 'object' ? JSON.stringify(given) : String(given)
  throw new EscapementError('ERR_ESCAPEMENT_OPTION', `${option} must be ${expected}, but is ${shown}`)
}
