import { constants } from 'node:os'
import { type Duration, parseDuration } from '@escapement/core'
import { checkKeys, fail, flag, func, integer, oneOf } from '@escapement/core/plugin'

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
  /**
   * Called when the runs have ended and the servers are closed, and awaited, before the process ends: the place to close
   * pools and clients, and to shut down the SDK of OpenTelemetry.
   */
  cleanup?: () => unknown
  /** How long `cleanup` is waited for. Default 10 s. */
  cleanupTimeout?: Duration
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
  readonly cleanup: (() => unknown) | undefined
  readonly cleanupTimeout: number
  readonly exitCode: number | undefined
}

/** The longest time a timer can wait. */
const MAX = 2 ** 31 - 1

const KNOWN = { start: 1, grace: 1, signals: 1, guard: 1 } satisfies Record<keyof MiddlewareOptions, 1>
const KNOWN_SIGNALS = {
  on: 1,
  delay: 1,
  linger: 1,
  cleanup: 1,
  cleanupTimeout: 1,
  exitCode: 1,
} satisfies Record<keyof SignalOptions, 1>

/** @throws ERR_ESCAPEMENT_OPTION, ERR_ESCAPEMENT_DURATION */
export function parseOptions(given: MiddlewareOptions = {}): Options {
  checkKeys(given, KNOWN, 'middleware() option')
  const { start = 'auto', grace, signals = false, guard = process.env.NODE_ENV !== 'production' } = given
  return {
    start: oneOf('start', start, ['auto', 'always', 'never']),
    grace: grace === undefined ? undefined : parseDuration(grace, 'grace', { max: MAX }),
    signals: signals === false ? undefined : parseSignals(signals === true ? {} : signals),
    guard: flag('guard', guard),
  }
}

function parseSignals(given: SignalOptions): SignalSettings {
  if (typeof given !== 'object' || given === null) fail('signals', 'true, false or an object', given)
  checkKeys(given, KNOWN_SIGNALS, 'signals option')
  const {
    on = ['SIGTERM', 'SIGINT'],
    delay = 0,
    linger = '5s',
    cleanup,
    cleanupTimeout = '10s',
    exitCode,
  } = given
  if (
    !Array.isArray(on) ||
    on.length === 0 ||
    !on.every((name) => Object.hasOwn(constants.signals, String(name)))
  ) {
    fail('signals.on', "an array of names such as 'SIGTERM'", on)
  }
  return {
    on,
    delay: parseDuration(delay, 'signals.delay', { max: MAX }),
    linger: parseDuration(linger, 'signals.linger', { max: MAX }),
    cleanup: func('signals.cleanup', cleanup),
    cleanupTimeout: parseDuration(cleanupTimeout, 'signals.cleanupTimeout', { max: MAX }),
    exitCode: exitCode === undefined ? undefined : integer('signals.exitCode', exitCode, 0, 255),
  }
}
