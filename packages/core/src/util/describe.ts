import { inspect, types } from 'node:util'
import { cut, printable, redact } from '../text.ts'
import type { ErrorRecord } from '../types/index.ts'

/** The most characters that are kept of a message and of a stack. */
export const MAX_MESSAGE = 2_048
export const MAX_STACK = 8_192
/** Causes, and errors of an `AggregateError`, are followed this deep and this far. */
const MAX_DEPTH = 5
const MAX_ERRORS = 10

/** What is known of something that was thrown. */
export interface Description extends ErrorRecord {
  /** What lies behind it: its `cause`, and the `errors` of an `AggregateError`. */
  readonly causes?: readonly Description[]
}

/**
 * Describes whatever was thrown as plain data. Never throws: a getter, a Proxy, a `toJSON` or a circle in the value
 * does no harm. All text is bounded, without control characters, and without the passwords of URLs.
 *
 * @example
 * describe(new AggregateError([new Error('connect ECONNREFUSED ::1:5432')])).message // 'connect ECONNREFUSED ::1:5432'
 */
export function describe(thrown: unknown): Description {
  if (made.has(thrown as object)) return thrown as Description
  if (!isErrorLike(thrown)) return describeNew(thrown)
  const signs = SIGNS.map((key) => read(thrown, key))
  const seen = described.get(thrown)
  if (seen && signs.every((sign, i) => sign === seen.signs[i])) return seen.description
  const description = describeNew(thrown)
  described.set(thrown, { signs, description })
  return description
}

function describeNew(thrown: unknown): Description {
  const clean = redactions.get(thrown as object) ?? redact
  const description = describeWithin(thrown, 0, { errors: MAX_ERRORS, clean })
  made.add(description)
  return description
}

/** Logs, histories, alerts and traces ask for the same error, which is the same while these are. */
const SIGNS = ['name', 'message', 'code', 'stack', 'cause'] as const
const described = new WeakMap<object, { signs: unknown[]; description: Description }>()

/** What a history keeps of it. */
export function errorRecord(thrown: unknown): ErrorRecord {
  const { name, message, code, stack, causes } = describe(thrown)
  const record = { name, message, code, stack, ...(causes && { causes: causes.map(behind) }) }
  made.add(record)
  return record
}

/** A cause: the stack of the error above tells where it was met. */
function behind({ name, message, code, causes }: Description): ErrorRecord {
  return { name, message, code, stack: undefined, ...(causes && { causes: causes.map(behind) }) }
}

/** What was thrown, to be passed on: all that is described of it from now on has gone through `redact`. */
export function redactThrown(thrown: unknown, redact: (text: string) => string): unknown {
  if (typeof thrown === 'string') return redact(thrown)
  if (typeof thrown === 'object' && thrown !== null) {
    redactions.set(thrown, redact)
    described.delete(thrown)
  }
  return thrown
}

const redactions = new WeakMap<object, (text: string) => string>()

/** Descriptions, which need no other one. */
const made = new WeakSet<object>()

/** Whether a value is an error, of whatever realm. Never throws, as `instanceof` does for some Proxies. */
export function isError(value: unknown): value is Error {
  if (typeof value !== 'object') return false
  try {
    return types.isNativeError(value) || value instanceof Error
  } catch {
    return false
  }
}

interface Describing {
  /** How many more errors are described. */
  errors: number
  readonly clean: (text: string) => string
}

function describeWithin(thrown: unknown, depth: number, left: Describing): Description {
  const safe = (text: string, max: number) => bounded(text, max, left.clean)
  if (!isErrorLike(thrown)) {
    return { name: 'Error', message: safe(textOf(thrown), MAX_MESSAGE), code: undefined, stack: undefined }
  }
  const code = read(thrown, 'code')
  const stack = read(thrown, 'stack')
  const name = read(thrown, 'name')
  const behind: Description[] = []
  for (const cause of depth < MAX_DEPTH ? causesOf(thrown) : []) {
    if (left.errors-- > 0) behind.push(describeWithin(cause, depth + 1, left))
  }
  const message = safe(textOf(read(thrown, 'message') ?? ''), MAX_MESSAGE)
  return {
    name: typeof name === 'string' && name !== '' ? safe(name, 200) : 'Error',
    message: message || safe(behind.map((cause) => cause.message).join('; '), MAX_MESSAGE),
    code: typeof code === 'string' || typeof code === 'number' ? safe(String(code), 200) : undefined,
    stack: typeof stack === 'string' ? safe(stack, MAX_STACK) : undefined,
    ...(behind.length > 0 && { causes: behind }),
  }
}

/** A value in one short line, e.g. for a message. Never throws. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return inspect(value, {
      depth: 1,
      customInspect: false,
      maxArrayLength: 10,
      maxStringLength: 200,
      breakLength: Infinity,
    })
  } catch {
    return `a value that cannot be shown (${typeof value})`
  }
}

function isErrorLike(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (isError(value)) return true
  // Of another realm, a DOMException, or a plain object with the shape of an error.
  return typeof read(value, 'message') === 'string'
}

function causesOf(error: object): unknown[] {
  const cause = read(error, 'cause')
  return [...(cause === undefined || cause === error ? [] : [cause]), ...elementsOf(read(error, 'errors'))]
}

function elementsOf(errors: unknown): unknown[] {
  try {
    return Array.isArray(errors)
      ? Array.from({ length: Math.min(errors.length, MAX_ERRORS) }, (_, i) => read(errors, i))
      : []
  } catch {
    return []
  }
}

/** A property whose getter may throw. */
function read(object: object, key: PropertyKey): unknown {
  try {
    return Reflect.get(object, key)
  } catch {
    return undefined
  }
}

function bounded(text: string, max: number, clean: (text: string) => string): string {
  // Cut first, so that text of any length costs little; the rest of a long secret is cut with it.
  const start = text.length > 4 * max ? text.slice(0, 4 * max) : text
  const shown = cut(printable(clean(start), { lines: true }), max)
  // A part of a text keeps the whole of it in memory: a copy does not.
  return text.length > max ? structuredClone(shown) : shown
}
