import { cut, printable, redact } from '../text.ts'
import type { Logger, LoggerLike, LogMethod, Run } from '../types/index.ts'
import { type Description, describe, isError, MAX_MESSAGE, MAX_STACK, textOf } from '../util/describe.ts'
import { isPromise } from '../util/promise.ts'
import { fail } from '../util/validate.ts'

type Level = keyof Logger
const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']

/**
 * Makes one logger of many kinds: winston's methods and the console's take the message first; pino's, and
 * those of any other object, the fields. Its methods never throw: fields that the given logger cannot write are
 * written as text, and the first failure after that is reported on stderr.
 *
 * @throws ERR_ESCAPEMENT_OPTION when one of debug, info, warn and error is missing
 */
export function toLogger(given: LoggerLike): Logger {
  for (const level of LEVELS) {
    if (typeof given?.[level] !== 'function') fail('logger', `an object with a method ${level}()`, given)
  }
  const lost = tellOnce()
  const write = (level: Level): LogMethod => {
    const log = given[level].bind(given)
    if ('transports' in given) return guarded((fields, message) => log(message, legible(fields)), lost) // winston
    if ('table' in given) return guarded((fields, message) => log(line(message ?? '', fields)), lost) // console
    return guarded((fields, message) => log(legible(fields), message), lost, log)
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** A method that never throws. `plain`: how a line without fields is written, when not as one with none. */
function guarded(
  write: (fields: object, message: string | undefined) => unknown,
  lost: (error: unknown) => void,
  plain: (message: string) => unknown = (message) => write({}, message),
): LogMethod {
  const attempt = (fields: object | string, said: unknown) => {
    const message = said === undefined ? said : textOf(said)
    const written = typeof fields === 'string' ? plain(fields) : write(fields, message)
    // An asynchronous logger may reject.
    if (isPromise(written)) Promise.resolve(written).catch(lost)
  }
  return (fields, message) => {
    try {
      attempt(fields, message)
    } catch (error) {
      if (typeof fields !== 'object') return lost(error)
      try {
        attempt(asText(fields), message)
      } catch {
        lost(error)
      }
    }
  }
}

/** Once for each logger: whatever reads stderr learns that lines are missing. */
function tellOnce(): (error: unknown) => void {
  let told = false
  return (error) => {
    if (told) return
    told = true
    try {
      console.error(
        `escapement: the logger failed, and lines are lost: ${printable(describe(error).message)}`,
      )
    } catch {
      // There is nothing left to tell it.
    }
  }
}

/**
 * Errors as plain data: JSON makes `{}` of them, or leaves it to each logger. `error` has the same shape
 * whatever was thrown, as a search index needs.
 */
function legible(fields: object): object {
  let plain: Record<string, unknown> | undefined
  for (const key in fields) {
    const value = (fields as Record<string, unknown>)[key]
    if (!isError(value) && (key !== 'error' || value === undefined)) continue
    plain ??= { ...fields }
    plain[key] = errorField(value)
  }
  return plain ?? fields
}

function errorField(thrown: unknown): object {
  const known = describe(thrown)
  // Only what has a stack has a class; a text or an object has a type.
  return entryOf(known, isError(thrown) || known.stack !== undefined ? known.name : typeof thrown)
}

function entryOf({ name, message, code, stack, causes }: Description, type = name): object {
  return {
    type,
    message,
    ...(code !== undefined && { code }),
    ...(stack !== undefined && { stack }),
    ...(causes?.[0] && { cause: entryOf(causes[0]) }),
    // Those of an AggregateError.
    ...(causes && causes.length > 1 && { causes: causes.map((cause) => entryOf(cause)) }),
  }
}

/** A method that writes nothing, and is known to: whoever finds it need not make the line. */
export const silent: LogMethod = () => {}

/** `message job=clean-logs run_id=… error="disk full"`: for consoles. */
function line(message: string, fields: object): string {
  const shown = Object.entries(fields).map(([key, value]) => {
    if (value === undefined) return ''
    // Indented: no line of a message can pass for one of the log.
    if (isError(value)) return `\n${trace(describe(value)).replaceAll(/\n(?! {4})/g, '\n    ')}`
    return ` ${oneLine(key)}=${typeof value === 'object' ? oneLine(JSON.stringify(value)) : word(textOf(value))}`
  })
  return oneLine(message) + shown.join('')
}

/** The stack, and those of its causes. */
function trace({ name, message, stack, causes = [] }: Description): string {
  return [stack ?? `${name}: ${message}`, ...causes.map((cause) => `caused by: ${trace(cause)}`)].join('\n')
}

function oneLine(text: string): string {
  return printable(bounded(text))
}

/** In quotes when it is more than a word. */
function word(text: string): string {
  return /[\s"]/.test(text) ? printable(JSON.stringify(bounded(text))) : oneLine(text)
}

function bounded(text: string): string {
  return cut(redact(text.length > 2 * MAX_STACK ? text.slice(0, 2 * MAX_STACK) : text), MAX_STACK)
}

/** Fields as texts that any logger can write, whatever they hold. */
function asText(fields: object): Record<string, unknown> {
  const plain = fieldsOf(fields)
  for (const [key, value] of Object.entries(plain)) {
    if (typeof value === 'object' && value !== null)
      plain[key] = key === 'error' || isError(value) ? errorField(value) : cut(textOf(value), MAX_MESSAGE)
    else if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function')
      plain[key] = textOf(value)
  }
  return plain
}

/** A copy of the fields. A getter that throws becomes what it threw. */
function fieldsOf(fields: object): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  try {
    for (const key of Object.keys(fields)) {
      try {
        copy[key] = (fields as Record<string, unknown>)[key]
      } catch (error) {
        copy[key] = `(${describe(error).message})`
      }
    }
  } catch {
    // A Proxy that hides its keys has no fields.
  }
  return copy
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
    // 00-<trace id>-<span id>-<flags>, W3C Trace Context. A plugin may have set anything.
    const { traceparent } = run
    const known = typeof traceparent === 'string'
    fields.span_id = known ? traceparent.slice(36, 52) : undefined
    fields.trace_flags = known ? traceparent.slice(53, 55) : undefined
  }
  return fields
}

/**
 * A logger that adds the run's bindings, as they are at the moment of each line. Its methods never throw.
 *
 * @param heard Called with each line before it is written.
 */
export function bind(
  logger: Logger,
  run: Run,
  heard?: (level: Level, fields: unknown, message: unknown) => void,
): Logger {
  const method =
    (level: Level): LogMethod =>
    (fields, message) => {
      heard?.(level, fields, message)
      if (typeof fields !== 'object' || fields === null) logger[level](bindings(run), textOf(fields))
      else if (isError(fields))
        logger[level](Object.assign(bindings(run), { error: fields }), message ?? describe(fields).message)
      else logger[level](Object.assign(bindings(run), fieldsOf(fields)), message)
    }
  return { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') }
}
