import type { Asked, RunFacts } from '../types/index.ts'
import { NOTHING, type Plain, toPlain } from '../util/plain.ts'
import type { RunEnvironment } from './environment.ts'
import type { LazyFields } from './lazy-fields.ts'
import { type KeptLine, keptText, type RunNotes } from './notes.ts'
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
  /** But how many lines there are. */
  readonly facts: RunFacts
  readonly lines: readonly KeptLine[]
  /** The characters of its texts, about. */
  readonly size: number
}

/** The facts of a run of which this is kept. */
export function factsOf(kept: Kept | undefined): RunFacts {
  if (!kept) return NO_FACTS
  return kept.lines.length === 0 ? kept.facts : { ...kept.facts, logLines: kept.lines.length }
}

/** What the history keeps of this run; undefined when its handler had and said nothing. */
export function keptOf({
  environment,
  job,
  data: given,
  result: returned,
  lazyFields,
}: Source): Kept | undefined {
  const { lines = NO_LINES, size = 0, omitted = 0, progress } = lazyFields?.notes ?? NO_NOTES
  // Most runs that say something write lines and nothing else.
  if (given === undefined && returned === undefined && !progress && omitted === 0 && !hasMore(lazyFields))
    return lines.length > 0 ? { facts: NO_FACTS, lines, size } : undefined
  const { keep } = job.policies
  const { redact } = environment
  const data = keep.data || given === undefined ? toPlain(given, MAX_VALUE, redact) : NOT_KEPT
  const result = keep.result ? toPlain(returned, MAX_VALUE, redact) : NOTHING
  const facts = {
    data: data.value,
    result: result.value,
    progress,
    asked: lazyFields?.request?.asked && askedOf(lazyFields.request.asked, redact),
    parent: lazyFields?.parent?.id,
    retryOf: lazyFields?.request?.retryOf,
    logLines: 0,
    cut: cutOf(data, result, omitted),
  }
  return { facts, lines, size: data.size + result.size + size }
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
  return lazy !== undefined && (lazy.request?.asked ?? lazy.request?.retryOf ?? lazy.parent) !== undefined
}

function askedOf(asked: Asked, redact: (text: string) => string): Asked {
  return Object.fromEntries(Object.entries(asked).map(([key, text]) => [key, keptText(text, redact)]))
}

const NO_LINES: readonly KeptLine[] = []
const NO_NOTES: Partial<RunNotes> = {}
const NOT_KEPT: Plain = { size: 0, cut: 'the job keeps no data' }
