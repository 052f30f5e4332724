import { isPromise } from './compose.ts'
import { EscapementError } from './errors.ts'
import type { Maybe } from './interfaces.ts'
import { describeIssues, type Schema, type SchemaResult } from './schema.ts'

/**
 * What scheduled runs of a job get: the `data` option, checked once, at registration.
 *
 * @throws ERR_ESCAPEMENT_DATA
 */
export function scheduledData(job: string, schema: Schema | undefined, data: unknown): unknown {
  if (!schema) return data
  const checked = schema['~standard'].validate(data)
  // A schema that answers later can only be asked when a run is requested.
  return isPromise(checked)
    ? data
    : accept(job, checked as SchemaResult<unknown>, "the job's data option, given to scheduled runs,")
}

/**
 * What a requested run gets: a copy, so that nothing of the request is kept or changed, checked by the schema.
 *
 * @throws ERR_ESCAPEMENT_DATA
 */
export function requestedData(job: string, schema: Schema | undefined, data: unknown): Maybe<unknown> {
  const copy = data === undefined ? undefined : clone(job, data)
  if (!schema) return copy
  const checked = schema['~standard'].validate(copy)
  return isPromise(checked)
    ? checked.then((result) => accept(job, result as SchemaResult<unknown>, 'the data'))
    : accept(job, checked as SchemaResult<unknown>, 'the data')
}

function accept(job: string, result: SchemaResult<unknown>, what: string): unknown {
  if (!result.issues) return result.value
  throw new EscapementError(
    'ERR_ESCAPEMENT_DATA',
    `${what} does not fit the schema of ${job}: ${describeIssues(result.issues)}`,
  )
}

function clone(job: string, data: unknown): unknown {
  try {
    return structuredClone(data)
  } catch (cause) {
    throw new EscapementError(
      'ERR_ESCAPEMENT_DATA',
      `the data for ${job} cannot be cloned: give it the values it needs, not req, res, ctx or functions`,
      { cause },
    )
  }
}
