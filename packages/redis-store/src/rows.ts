import type {
  Cause,
  ErrorRecord,
  LogLine,
  Outcome,
  Run,
  RunFacts,
  RunRecord,
  SkipReason,
  State,
} from '@escapement/core'
import { hasEnded, NO_FACTS } from '@escapement/core/plugin'

/** A run as it is kept: texts in the order that the scripts know. An empty one is undefined. */
export function rowOf(record: RunRecord, owner: string): string {
  const { job, error, errors, endedAt, scheduledAt, state } = record
  const ended = hasEnded(state) ? ms(endedAt ?? scheduledAt) : ''
  const search = `${job}\n${error?.message ?? ''}`.toLowerCase()
  const texts = [
    ...[state, record.cause, search, job, record.key, String(record.fence ?? ''), ended],
    ...[String(record.attempt), String(record.restarts), ms(record.startedAt), String(record.late)],
    ...[String(record.duration ?? ''), ms(scheduledAt), ms(record.until), ''],
    ...[errors.length > 0 ? JSON.stringify(errors) : '', record.traceId ?? '', record.instance, owner],
    ...[factsText(record), record.reason ?? '', ''],
  ]
  return textOf(texts)
}

/** Texts as a JSON array that Lua can read. */
export function textOf(texts: readonly string[]): string {
  return JSON.stringify(texts.map((text) => text.replace(/\p{Surrogate}/gu, '\ufffd')))
}

/** The record of what is kept. */
export function recordOf(id: string, text: string): RunRecord {
  const row = JSON.parse(text) as string[]
  const at = (index: number): string => row[index - 1] ?? ''
  const date = (index: number) => (at(index) === '' ? undefined : new Date(Number(at(index))))
  const number = (index: number) => (at(index) === '' ? undefined : Number(at(index)))
  const state = at(1) as State
  const errors = at(16) === '' ? [] : (JSON.parse(at(16)) as ErrorRecord[]).map(whole)
  return {
    id,
    key: at(5),
    job: at(4),
    scheduledAt: new Date(Number(at(13))),
    cause: at(2) as Cause,
    state,
    outcome: hasEnded(state) ? (state as Outcome) : undefined,
    reason: (at(21) || undefined) as SkipReason | undefined,
    attempt: Number(at(8)),
    restarts: Number(at(9)),
    startedAt: date(10),
    endedAt: date(7),
    late: Number(at(11)),
    duration: number(12),
    until: date(14),
    count: number(15),
    error: errors.at(-1),
    errors,
    traceId: at(17) || undefined,
    fence: number(6),
    instance: at(18),
    ...factsOf(at(20)),
  }
}

/** The facts of a run as a text; empty when there are none. */
export function factsText(given: RunFacts): string {
  const { data, result, progress, asked, parent, retryOf, logLines, cut } = given
  const facts = { data, result, progress, asked, parent, retryOf, cut, logLines: logLines || undefined }
  const text = JSON.stringify(facts)
  return text === '{}' ? '' : text
}

function factsOf(text: string): RunFacts {
  if (text === '') return NO_FACTS
  const facts: RunFacts = { ...NO_FACTS, ...JSON.parse(text) }
  const { progress } = facts
  return { ...facts, progress: progress && { ...progress, at: new Date(progress.at) } }
}

/** The lines of a run as a text; empty when there are none. */
export function linesText({ logLines }: Run): string {
  return logLines.length === 0 ? '' : JSON.stringify(logLines)
}

export function linesOf(text: string | null): LogLine[] {
  if (!text) return []
  return (JSON.parse(text) as LogLine[]).map((line) => ({ ...line, at: new Date(line.at) }))
}

/** The lowest id a run can have that was made at this instant: ids are ordered by time. */
export function firstId(at: number): string {
  const time = Math.max(0, Math.floor(at)).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}`
}

function ms(date: Date | undefined): string {
  return date ? String(date.getTime()) : ''
}

/** JSON leaves out what is undefined. */
function whole({ name, message, code, stack, causes }: ErrorRecord): ErrorRecord {
  return { name, message, code, stack, ...(causes && { causes: causes.map(whole) }) }
}
