import { fail } from './check.ts'
import { show } from './errors.ts'
import type { Logger, LogMethod, Run } from './interfaces.ts'

type Level = keyof Logger
const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']

/** What can be given as a logger: pino, winston, the console, or anything with these four methods. */
// biome-ignore lint/suspicious/noExplicitAny: the loggers differ in what their methods take
export type LoggerLike = { readonly [L in Level]: (...args: any[]) => unknown }

/**
 * Makes one logger of many kinds: winston's methods and the console's take the message first; pino's, and
 * those of any other object, the fields.
 *
 * @throws ERR_ESCAPEMENT_OPTION when one of debug, info, warn and error is missing
 */
export function toLogger(given: LoggerLike): Logger {
  for (const level of LEVELS) {
    if (typeof given?.[level] !== 'function') fail('logger', `an object with a method ${level}()`, given)
  }
  const write = (level: Level): LogMethod => {
    const log = given[level].bind(given)
    if ('transports' in given) return messageFirst((message, fields) => void log(message, legible(fields))) // winston
    if ('table' in given) return messageFirst((message, fields) => void log(line(message, fields))) // console
    return (fields, message) => void log(typeof fields === 'string' ? fields : legible(fields), message)
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function messageFirst(write: (message: string, fields: object) => void): LogMethod {
  return (fields, message) => (typeof fields === 'string' ? write(fields, {}) : write(message ?? '', fields))
}

/**
 * Errors as plain data: JSON makes `{}` of them, or leaves it to each logger. `error` has the same shape
 * whatever was thrown, as a search index needs.
 */
function legible(fields: object): object {
  let plain: Record<string, unknown> | undefined
  for (const key in fields) {
    const value = (fields as Record<string, unknown>)[key]
    if (!(value instanceof Error) && (key !== 'error' || value === undefined)) continue
    plain ??= { ...fields }
    plain[key] = describe(value)
  }
  return plain ?? fields
}

function describe(error: unknown, depth = 0): object {
  if (!(error instanceof Error))
    return { type: typeof error, message: typeof error === 'string' ? error : show(error) }
  const { name: type, message, stack, cause } = error
  const { code } = error as { code?: unknown }
  return {
    type,
    message,
    ...(code !== undefined && { code: String(code) }),
    stack,
    // A chain of causes may be a ring.
    ...(cause !== undefined && depth < 5 && { cause: describe(cause, depth + 1) }),
  }
}

/** A method that writes nothing, and is known to: whoever finds it need not make the line. */
export const silent: LogMethod = () => {}

/** `message job=clean-logs run_id=… error="disk full"`: for consoles. */
function line(message: string, fields: object): string {
  const shown = Object.entries(fields).map(([key, value]) => {
    if (value === undefined) return ''
    if (value instanceof Error) return `\n${value.stack ?? value.message}`
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    return ` ${key}=${typeof value === 'string' && /[\s"]/.test(text) ? show(text) : text}`
  })
  return message + shown.join('')
}

/** The console, for what handlers log. */
export const consoleLog: Logger = toLogger(console)

/** The console, for the scheduler's own lines: warnings and errors. */
export const quietLog: Logger = { ...consoleLog, debug: silent, info: silent }

/** Fields that tie a line to its run: the keys that pino's OpenTelemetry instrumentation uses, and the job's. */
export function bindings(run: Run): Record<string, unknown> {
  const fields: Record<string, unknown> = { job: run.job.name, run_id: run.id, tick: run.tick.id }
  if (run.attempt > 1) fields.attempt = run.attempt
  if (run.traceId) {
    fields.trace_id = run.traceId
    // 00-<trace id>-<span id>-<flags>, W3C Trace Context
    fields.span_id = run.traceparent?.slice(36, 52)
    fields.trace_flags = run.traceparent?.slice(53, 55)
  }
  return fields
}

/** A logger that adds the run's bindings, as they are at the moment of each line. */
export function bind(logger: Logger, run: Run): Logger {
  const method =
    (level: Level): LogMethod =>
    (fields, message) => {
      if (typeof fields === 'string') logger[level](bindings(run), fields)
      else if (fields instanceof Error)
        logger[level](Object.assign(bindings(run), { error: fields }), message ?? fields.message)
      else logger[level](Object.assign(bindings(run), fields), message)
    }
  return { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') }
}
