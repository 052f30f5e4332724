import type { Asked, RunFacts } from '../types/index.ts'
import { type Plain, toPlain } from '../util/plain.ts'
import type { RunEnvironment } from './environment.ts'
import type { LazyFields } from './lazy-fields.ts'
import { keptText } from './notes.ts'
import type { RunnableJob } from './runnable-job.ts'

/** The most characters of JSON that are kept of the data of a run, and of its result. */
const MAX_VALUE = 16 * 1024

/** Of a run that has none. */
export const NO_FACTS: RunFacts = Object.freeze({
  data: undefined,
  result: undefined,
  progress: undefined,
  asked: undefined,
  parent: undefined,
  retryOf: undefined,
  logLines: 0,
  cut: undefined,
})

/** A run, as far as facts are made of it. */
interface Source {
  readonly environment: RunEnvironment
  readonly job: RunnableJob
  readonly data: unknown
  readonly result: unknown
  readonly lazyFields: LazyFields | undefined
}

/** The facts that the history keeps of a run. */
export function factsOf({ environment, job, data: given, result: returned, lazyFields }: Source): RunFacts {
  if (given === undefined && returned === undefined && !hasMore(lazyFields)) return NO_FACTS
  const { keep } = job.policies
  const { redact } = environment
  const data = keep.data || given === undefined ? plain(given, redact) : NOT_KEPT
  const result = keep.result ? plain(returned, redact) : NOTHING
  const notes = lazyFields?.notes
  const cut = {
    ...(data.redacted && { data: 'texts in it are not kept' }),
    ...(data.cut !== undefined && { data: data.cut }),
    ...(result.cut !== undefined && { result: result.cut }),
    ...(notes && notes.omitted > 0 && { log: `${notes.omitted} more lines were left out` }),
  }
  return {
    data: data.value,
    result: result.value,
    progress: notes?.progress,
    asked: lazyFields?.request?.asked && askedOf(lazyFields.request.asked, redact),
    parent: lazyFields?.parent?.id,
    retryOf: lazyFields?.request?.retryOf,
    logLines: notes?.lines.length ?? 0,
    cut: Object.keys(cut).length > 0 ? cut : undefined,
  }
}

function hasMore(lazy: LazyFields | undefined): boolean {
  return (
    lazy !== undefined &&
    (lazy.notes ?? lazy.request?.asked ?? lazy.request?.retryOf ?? lazy.parent) !== undefined
  )
}

function askedOf(asked: Asked, redact: (text: string) => string): Asked {
  return Object.fromEntries(Object.entries(asked).map(([key, text]) => [key, keptText(text, redact)]))
}

const NOTHING: Plain = { size: 0 }
const NOT_KEPT: Plain = { size: 0, cut: 'the job keeps no data' }

function plain(value: unknown, redact: (text: string) => string): Plain {
  return value === undefined ? NOTHING : toPlain(value, MAX_VALUE, redact)
}
