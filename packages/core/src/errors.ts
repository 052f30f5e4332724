import { printable, redact } from './text.ts'

/** Every coded error, with what it means. The docs table is held against this by a test. */
export const codes = {
  ERR_ESCAPEMENT_OPTION: 'An option has a value that cannot be used, or there is no such option.',
  ERR_ESCAPEMENT_JOB_NAME: 'A job name is missing, too long or holds control characters or invisible ones.',
  ERR_ESCAPEMENT_JOB_EXISTS: 'A job of this name is registered already.',
  ERR_ESCAPEMENT_JOB_UNKNOWN: 'No job of this name is registered.',
  ERR_ESCAPEMENT_RUN_UNKNOWN: 'There is no run of this id, or it is not kept any more.',
  ERR_ESCAPEMENT_RUN_STATE:
    'What was asked cannot be done with the run: it has ended already, or has not ended yet.',
  ERR_ESCAPEMENT_INPUT_GONE: 'A run cannot be run again: not all of what it was asked with is kept.',
  ERR_ESCAPEMENT_HANDLER: 'The handler is missing or not a function.',
  ERR_ESCAPEMENT_TRIGGER: 'A trigger is missing, not a trigger, or can never fire.',
  ERR_ESCAPEMENT_CYCLE: 'Jobs that run after each other wait for themselves.',
  ERR_ESCAPEMENT_CRON: 'A cron expression cannot be read.',
  ERR_ESCAPEMENT_TIMEZONE: 'A time zone is not known to this Node.',
  ERR_ESCAPEMENT_DURATION: 'A duration cannot be read or is out of its range.',
  ERR_ESCAPEMENT_PLUGIN: 'A plugin is malformed, given twice, or two plugins bring the same port.',
  ERR_ESCAPEMENT_DATA: 'The data of a requested run does not fit the job, or cannot be cloned.',
  ERR_ESCAPEMENT_DATA_TOO_LARGE: 'The data of a requested run is larger than 64 kB.',
  ERR_ESCAPEMENT_NOT_RUN:
    'A requested run was not begun: another run of the job is under way, or a hook skipped it.',
  ERR_ESCAPEMENT_QUEUE_FULL: 'Too many requested runs are under way or wait.',
  ERR_ESCAPEMENT_KEY_REUSED: 'A run was asked for with other data under the same key within 24 h.',
  ERR_ESCAPEMENT_STOPPED: 'The scheduler is stopping and takes no new runs.',
  ERR_ESCAPEMENT_NEXT_TWICE: 'A hook called next() more than once.',
  ERR_ESCAPEMENT_TIMEOUT: 'A run took longer than its timeout. It is the reason of the aborted signal.',
  ERR_ESCAPEMENT_CANCELLED: 'A run was cancelled: by request, by a newer run, or at shutdown.',
  ERR_ESCAPEMENT_LEASE_LOST: 'A run lost its hold: another instance may run the job now.',
  ERR_ESCAPEMENT_STORE: 'A durable store cannot be opened, or its data was written by a newer version.',
  ERR_ESCAPEMENT_UNAVAILABLE: 'A lock or a store could not be reached, or did not answer in time.',
} as const

export type Code = keyof typeof codes

/** The HTTP status of what a request can meet: Express and Koa answer with the `status` of an error. */
const STATUS: { readonly [C in Code]?: number } = {
  ERR_ESCAPEMENT_JOB_UNKNOWN: 404,
  ERR_ESCAPEMENT_RUN_UNKNOWN: 404,
  ERR_ESCAPEMENT_NOT_RUN: 409,
  ERR_ESCAPEMENT_RUN_STATE: 409,
  ERR_ESCAPEMENT_INPUT_GONE: 409,
  ERR_ESCAPEMENT_DATA_TOO_LARGE: 413,
  ERR_ESCAPEMENT_DATA: 422,
  ERR_ESCAPEMENT_KEY_REUSED: 422,
  ERR_ESCAPEMENT_QUEUE_FULL: 429,
  ERR_ESCAPEMENT_STOPPED: 503,
  ERR_ESCAPEMENT_UNAVAILABLE: 503,
}

const BRAND = Symbol.for('escapement.error')

/**
 * The one error class of Escapement. `code` is stable; `message` says what was expected and what was given.
 *
 * @example
 * try { scheduler.job('a', '61 * * * *', handler) } catch (error) {
 *   if (error instanceof EscapementError && error.code === 'ERR_ESCAPEMENT_CRON') console.error(error.message)
 * }
 */
export class EscapementError extends Error {
  readonly code: Code

  /** Two copies of the package, as ESM and as CommonJS, know each other's errors. A subclass knows its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits the method
    if (this !== EscapementError) return Function.prototype[Symbol.hasInstance].call(this, value)
    if (typeof value !== 'object' || value === null) return false
    try {
      return BRAND in value
    } catch {
      return false // a Proxy
    }
  }

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EscapementError'
    this.code = code
  }

  /** The HTTP status for a request that met it; undefined when it is no answer to a request. */
  get status(): number | undefined {
    return STATUS[this.code]
  }

  /** Koa writes the status it answers with to the error. */
  set status(value: number | undefined) {
    Object.defineProperty(this, 'status', { value, writable: true, configurable: true })
  }
}

Object.defineProperty(EscapementError.prototype, BRAND, { value: true })

/** How a value is shown in a message: short, on one line, without secrets of URLs. Never throws. */
export function show(value: unknown): string {
  if (typeof value === 'string') return printable(JSON.stringify(short(redact(withoutPath(value)))))
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' && typeof value !== 'function') return printable(String(value))
  if (value === null) return 'null'
  try {
    if (typeof value === 'function') return value.name ? `function ${plain(value.name)}` : 'a function'
    if (Array.isArray(value)) return `an array of ${value.length}`
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : value.toISOString()
    if (value instanceof Error) return `${plain(value.name)}: ${plain(value.message)}`
    return `an object (${Object.keys(value).slice(0, 5).map(plain).join(', ')})`
  } catch {
    return `a value that cannot be shown (${typeof value})`
  }
}

/** The path of a webhook is its key. */
function withoutPath(text: string): string {
  return text.replace(/^(https?:\/\/[^\s/?#]{1,300})[/?#].+/is, '$1/…')
}

function plain(text: string): string {
  return printable(short(redact(String(text))))
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
