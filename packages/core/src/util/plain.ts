import { describe, isError } from './describe.ts'

/** How deep a value is followed. */
const MAX_DEPTH = 20

/** A value that JSON can hold, or why there is none. */
export interface Plain {
  readonly value?: unknown
  /** Why the value was left out. */
  readonly cut?: string
  /** A text in it is not as it was given. */
  readonly redacted?: boolean
  /** Its size, about: the characters of its JSON. */
  readonly size: number
}

/**
 * What JSON would keep of a value, made so that nothing in it can do harm: a getter or a `toJSON` that throws, a circle and
 * a depth without end become a note, and no more is read of it than `max` characters.
 *
 * @param redact Called with each text in it.
 */
export function toPlain(value: unknown, max: number, redact: (text: string) => string): Plain {
  if (value === undefined) return NOTHING
  const walk = new Walk(max, redact)
  try {
    const copy = walk.copy(value, 0)
    return { value: copy, size: max - walk.left, redacted: walk.redacted }
  } catch (error) {
    if (error !== TOO_LARGE) return { cut: `it cannot be read: ${describe(error).message}`, size: 0 }
    return { cut: `it is larger than ${max / 1024} kB`, size: 0 }
  }
}

/** Of a value that is not there. */
export const NOTHING: Plain = { size: 0 }

const TOO_LARGE = new Error('too large')

class Walk {
  left: number
  redacted = false
  readonly #redact: (text: string) => string
  readonly #above: object[] = []

  constructor(max: number, redact: (text: string) => string) {
    this.left = max
    this.#redact = redact
  }

  copy(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'number':
      case 'boolean':
        this.#take(5)
        return Number.isNaN(value) || value === Infinity || value === -Infinity ? null : value
      case 'bigint':
        return this.#text(String(value))
      case 'object':
        return value === null ? value : this.#object(value, depth)
      default:
        return undefined
    }
  }

  #object(value: object, depth: number): unknown {
    this.#take(2)
    if (isError(value)) return this.#error(value, depth)
    if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`
    if (depth >= MAX_DEPTH) return '(too deep)'
    if (this.#above.includes(value)) return '(circular)'
    this.#above.push(value)
    try {
      const { toJSON } = value as { toJSON?: unknown }
      if (typeof toJSON === 'function') return this.copy(toJSON.call(value, ''), depth + 1)
      if (Array.isArray(value)) return this.#array(value, depth)
      if (value instanceof Map || value instanceof Set) return this.#array(value, depth)
      return this.#fields(value, depth)
    } finally {
      this.#above.pop()
    }
  }

  #array(values: Iterable<unknown>, depth: number): unknown[] {
    const copy: unknown[] = []
    for (const value of values) {
      this.#take(1)
      copy.push(this.copy(value, depth + 1) ?? null)
    }
    return copy
  }

  #fields(value: object, depth: number): Record<string, unknown> {
    const copy: Record<string, unknown> = {}
    for (const key of Object.keys(value)) {
      this.#take(key.length + 4)
      const field = this.copy((value as Record<string, unknown>)[key], depth + 1)
      if (field !== undefined) Object.defineProperty(copy, this.#clean(key), { ...FIELD, value: field })
    }
    return copy
  }

  /** JSON would make `{}` of it. */
  #error(error: Error, depth: number): unknown {
    const { name, message, code } = describe(error)
    return this.#fields({ name, message, code }, depth)
  }

  #text(text: string): string {
    this.#take(text.length + 2)
    return this.#clean(text)
  }

  #clean(text: string): string {
    const left = this.#redact(text)
    this.redacted ||= left !== text
    return left
  }

  #take(size: number): void {
    this.left -= size
    if (this.left < 0) throw TOO_LARGE
  }
}

/** Not by assignment: a key may be `__proto__`. */
const FIELD = { enumerable: true, writable: true, configurable: true }
