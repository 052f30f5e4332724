import type { Asked, RunFacts } from '../types/index.ts'
import { type Plain, toPlain } from '../util/plain.ts'
import type { RunEnvironment } from './environment.ts'
import type { LazyFields } from './lazy-fields.ts'
import { type KeptLine, keptText } from './notes.ts'
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

/** What the history keeps of a run besides how it ended. */
export interface Kept {
  readonly facts: RunFacts
  readonly lines: readonly KeptLine[]
  /** The characters of its texts, about. */
  readonly size: number
}

/** What the history keeps of this run; undefined when its handler had and said nothing. */
export function keptOf({
  environment,
  job,
  data: given,
  result: returned,
  lazyFields,
}: Source): Kept | undefined {
  if (given === undefined && returned === undefined && !hasMore(lazyFields)) return undefined
  const { keep } = job.policies
  const { redact } = environment
  const data = keep.data || given === undefined ? plain(given, redact) : NOT_KEPT
  const result = keep.result ? plain(returned, redact) : NOTHING
  const notes = lazyFields?.notes
  const facts = {
    data: data.value,
    result: result.value,
    progress: notes?.progress,
    asked: lazyFields?.request?.asked && askedOf(lazyFields.request.asked, redact),
    parent: lazyFields?.parent?.id,
    retryOf: lazyFields?.request?.retryOf,
    logLines: notes?.lines.length ?? 0,
    cut: cutOf(data, result, notes?.omitted ?? 0),
  }
  return {
    facts,
    lines: notes?.lines.slice() ?? NO_LINES,
    size: data.size + result.size + (notes?.size ?? 0),
  }
}

/** What was left out, and why. */
function cutOf(data: Plain, result: Plain, lines: number): RunFacts['cut'] {
  if (!data.redacted && data.cut === undefined && result.cut === undefined && lines === 0) return undefined
  return {
    ...(data.redacted && { data: 'texts in it are not kept' }),
    ...(data.cut !== undefined && { data: data.cut }),
    ...(result.cut !== undefined && { result: result.cut }),
    ...(lines > 0 && { log: `${lines} more lines were left out` }),
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

const NO_LINES: readonly KeptLine[] = []
const NOTHING: Plain = { size: 0 }
const NOT_KEPT: Plain = { size: 0, cut: 'the job keeps no data' }

function plain(value: unknown, redact: (text: string) => string): Plain {
  return value === undefined ? NOTHING : toPlain(value, MAX_VALUE, redact)
}
