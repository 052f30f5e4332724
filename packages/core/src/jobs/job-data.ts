import { EscapementError, show } from '../errors.ts'
import type { Maybe, Schema, SchemaResult } from '../types/index.ts'
import { isPromise } from '../util/promise.ts'
import { describeIssues } from './schema-issues.ts'

/**
 * What scheduled runs of a job get: the `data` option, checked once, at registration.
 *
 * @throws ERR_ESCAPEMENT_DATA
 */
export function scheduledData(job: string, schema: Schema | undefined, data: unknown): unknown {
  if (!schema) return data
  const checked = ask(job, schema, data)
  // A schema that answers later can only be asked when a run is requested.
  if (!isPromise(checked)) return accept(job, checked, "the job's data option, given to scheduled runs,")
  Promise.resolve(checked).catch(() => {})
  return data
}

/** The most bytes of data that a run can be asked with. */
const MAX_BYTES = 64 * 1024

/** What a requested run gets: a copy, so that nothing of the request is kept or changed, and its size in bytes. */
export interface Copied {
  readonly data: unknown
  readonly bytes: number
}

/**
 * Copies what a run is asked with.
 *
 * @throws ERR_ESCAPEMENT_DATA, ERR_ESCAPEMENT_DATA_TOO_LARGE
 */
export function copyData(job: string, data: unknown): Copied {
  if (data === undefined) return { data, bytes: 0 }
  let copy: unknown
  try {
    copy = structuredClone(data)
  } catch (cause) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_DATA',
      `the data for ${job} cannot be cloned: give it the values it needs, not req, res, ctx or functions`,
      { cause },
    )
  }
  const bytes = sizeOf(copy)
  if (bytes > MAX_BYTES) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_DATA_TOO_LARGE',
      `the data for ${job} must have at most ${MAX_BYTES} bytes, but has ${bytes}: store it, and give its name or key`,
    )
  }
  return { data: copy, bytes }
}

function sizeOf(data: unknown): number {
  if (typeof data === 'string') return Buffer.byteLength(data)
  if (typeof data !== 'object') return 8
  try {
    return process.getBuiltinModule('node:v8').serialize(data).length
  } catch {
    // A Blob or a key: its content is not on the heap.
    return 0
  }
}

/**
 * What a requested run gets, checked by the schema.
 *
 * @throws ERR_ESCAPEMENT_DATA
 */
export function requestedData(job: string, schema: Schema | undefined, data: unknown): Maybe<unknown> {
  if (!schema) return data
  const checked = ask(job, schema, data)
  return isPromise(checked)
    ? answered(job, checked).then((result) => accept(job, result, 'the data'))
    : accept(job, checked, 'the data')
}

function ask(job: string, schema: Schema, data: unknown): Maybe<SchemaResult<unknown>> {
  try {
    const checked: unknown = schema['~standard'].validate(data)
    // A hostile `then` throws here and not later.
    return (isPromise(checked) ? Promise.resolve(checked) : checked) as Maybe<SchemaResult<unknown>>
  } catch (cause) {
    throw broken(job, cause)
  }
}

async function answered(
  job: string,
  checked: Promise<SchemaResult<unknown>>,
): Promise<SchemaResult<unknown>> {
  try {
    return await checked
  } catch (cause) {
    throw broken(job, cause)
  }
}

function broken(job: string, cause: unknown): EscapementError {
  return new EscapementError('ERR_ESCAPEMENT_DATA', `the schema of ${job} threw: ${show(cause)}`, { cause })
}

function accept(job: string, result: SchemaResult<unknown>, what: string): unknown {
  try {
    return judge(job, result, what)
  } catch (cause) {
    throw cause instanceof EscapementError ? cause : broken(job, cause)
  }
}

function judge(job: string, result: SchemaResult<unknown>, what: string): unknown {
  if (typeof result !== 'object' || result === null) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_DATA',
      `the schema of ${job} must give { value } or { issues }, but gave ${show(result)}`,
    )
  }
  if (!result.issues) return result.value
  throw new EscapementError(
    'ERR_ESCAPEMENT_DATA',
    `${what} does not fit the schema of ${job}: ${describeIssues(result.issues)}`,
  )
}
