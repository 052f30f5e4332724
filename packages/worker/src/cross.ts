import { codes, EscapementError } from '@escapement/core'
import { type Description, describe, isError, textOf } from '@escapement/core/plugin'

/** What a handler in a thread threw, as it is sent out of it. */
export interface Thrown {
  /** An error; undefined where it is none. */
  readonly error: SentError | undefined
  readonly value: unknown
}

/** Structured clone would leave out the names of classes, the codes, and the errors of an `AggregateError`. */
interface SentError extends Omit<Description, 'causes'> {
  readonly cause: Thrown | undefined
  readonly errors: readonly Thrown[] | undefined
}

/** Causes are followed this deep, and of the errors of an `AggregateError` as many are sent. */
const MAX_DEPTH = 5
const MAX_ERRORS = 10

/** Packs what was thrown: an error with its causes; anything else whole where it can be cloned, else as it is described. */
export function pack(thrown: unknown, depth = 0): Thrown {
  if (!isError(thrown))
    return { error: undefined, value: isCloneable(thrown) ? thrown : plain(describe(thrown)) }
  const { name, message, code, stack } = describe(thrown)
  const [cause, errors] = depth < MAX_DEPTH ? [read(thrown, 'cause'), read(thrown, 'errors')] : []
  const error = {
    name,
    message,
    code,
    stack,
    cause: cause === undefined ? undefined : pack(cause, depth + 1),
    errors: Array.isArray(errors)
      ? errors.slice(0, MAX_ERRORS).map((each) => pack(each, depth + 1))
      : undefined,
  }
  return { error, value: undefined }
}

/** What was thrown, again. */
export function unpack({ error: sent, value }: Thrown): unknown {
  if (!sent) return value
  const error = make(sent)
  const own: Record<string, unknown> = { stack: sent.stack }
  if (error.name !== sent.name) own.name = sent.name
  if (sent.cause) own.cause = unpack(sent.cause)
  if (sent.errors) own.errors = sent.errors.map(unpack)
  for (const [key, value] of Object.entries(own))
    Object.defineProperty(error, key, { value, configurable: true, writable: true })
  return sent.code === undefined ? error : Object.assign(error, { code: sent.code })
}

const CLASSES = [RangeError, TypeError, SyntaxError, ReferenceError, EvalError, URIError]

function make({ name, message, code = '' }: SentError): Error {
  if (name === 'EscapementError' && Object.hasOwn(codes, code))
    return new EscapementError(code as EscapementError['code'], message)
  if (name === 'AggregateError') return new AggregateError([], message)
  const Class = CLASSES.find((each) => each.name === name) ?? Error
  return new Class(message)
}

/** A property whose getter may throw. */
function read(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key)
  } catch {
    return undefined
  }
}

export function isThrown(value: unknown): value is Thrown {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'error,value'
}

/** The fields of a log line as they can be sent: errors keep their codes, and what cannot be cloned becomes text. */
export function fieldsToSend(fields: object): object {
  const sent: Record<string, unknown> = {}
  try {
    for (const key of Object.keys(fields)) sent[key] = fieldToSend(fields, key)
  } catch {
    // A Proxy that hides its keys has no fields.
  }
  return sent
}

function fieldToSend(fields: object, key: string): unknown {
  try {
    const value: unknown = Reflect.get(fields, key)
    if (isError(value)) return plain(describe(value))
    return isCloneable(value) ? value : textOf(value)
  } catch (error) {
    return `(${describe(error).message})`
  }
}

function isCloneable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null)
    return typeof value !== 'function' && typeof value !== 'symbol'
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}

/** With its causes where an error has them. */
function plain({ causes = [], ...known }: Description): object {
  const [cause] = causes.map(plain)
  return { ...known, ...(cause && { cause }), ...(causes.length > 1 && { errors: causes.map(plain) }) }
}
