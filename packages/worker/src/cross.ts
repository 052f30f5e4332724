import { type Description, describe, isError, textOf } from '@escapement/core/plugin'

/** What a handler in a thread threw, as it is sent out of it. */
export interface Thrown {
  readonly thrown: unknown
  /** What structured clone leaves out of an error. */
  readonly name: string
  readonly code: string | undefined
}

/** Packs what was thrown: whole where it can be cloned, else what is known of it. */
export function pack(thrown: unknown): Thrown {
  const known = describe(thrown)
  const { name, code } = known
  return {
    thrown: isCloneable(thrown) ? thrown : plain(known),
    name,
    code: isError(thrown) ? code : undefined,
  }
}

/** The error again. */
export function unpack({ thrown, name, code }: Thrown): unknown {
  if (!isError(thrown)) return thrown
  if (thrown.name !== name) Object.defineProperty(thrown, 'name', { value: name, configurable: true })
  return code === undefined ? thrown : Object.assign(thrown, { code })
}

export function isThrown(value: unknown): value is Thrown {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'thrown,name,code'
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
