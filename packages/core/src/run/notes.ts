import { bind } from '../log/logger.ts'
import { cut, printable, redact } from '../text.ts'
import type { Logger, LogLine, ProgressRecord, Run } from '../types/index.ts'
import { describe, isError, MAX_MESSAGE, textOf } from '../util/describe.ts'
import { toPlain } from '../util/plain.ts'
import type { RunEnvironment } from './environment.ts'

/** The most lines that are kept of a run, and their characters. */
const MAX_LINES = 500
const MAX_SIZE = 64 * 1024
/** The most characters of the fields of one line. */
const MAX_FIELDS = 4 * 1024

/** Leaves out of a text what must not be kept. Never throws. */
export type Redact = (text: string) => string

/** The scheduler's `redact`, after the secrets of URLs are gone. */
export function redactor(given: Redact | undefined): Redact {
  if (!given) return redact
  return (text) => {
    try {
      const left: unknown = given(redact(text))
      if (typeof left === 'string') return left
    } catch {
      // What it cannot judge is not kept.
    }
    return '(not kept: redact failed)'
  }
}

/** Text that people read in a history. */
export function keptText(text: string, clean: Redact): string {
  return cut(printable(clean(text.slice(0, 4 * MAX_MESSAGE)), { lines: true }), MAX_MESSAGE)
}

/** A line as it is kept: with its instant in ms, since a `Date` is larger than the rest. */
export interface KeptLine extends Omit<LogLine, 'at'> {
  readonly at: number
}

export function logLine({ at, ...line }: KeptLine): LogLine {
  return { at: new Date(at), ...line }
}

/** What a handler has said while it ran. */
export class RunNotes {
  readonly lines: KeptLine[] = []
  progress: ProgressRecord | undefined = undefined
  /** Lines that were left out. */
  omitted = 0
  #size = 0

  /** The characters of its texts, about. */
  get size(): number {
    return this.#size + (this.progress?.note?.length ?? 0)
  }

  add(at: number, level: LogLine['level'], { message, fields }: Written, clean: Redact): void {
    if (this.lines.length >= MAX_LINES || this.#size >= MAX_SIZE) {
      this.omitted++
      return
    }
    const text = keptText(message, clean)
    const { value, size, cut: why } = toPlain(fields, MAX_FIELDS, clean)
    this.#size += text.length + size
    const kept = (why === undefined ? value : { '…': why }) as Record<string, unknown> | undefined
    const empty = kept === undefined || Object.keys(kept).length === 0
    this.lines.push(empty ? { at, level, message: text } : { at, level, message: text, fields: kept })
  }
}

/** A line as a handler gave it to its logger. */
interface Written {
  readonly message: string
  readonly fields?: object
}

/** A run, as far as its handler says something that is kept. */
interface NotedRun extends Run {
  readonly environment: RunEnvironment
  readonly lazy: { notes: RunNotes | undefined }
  readonly ended: boolean
}

function notesOf({ lazy }: NotedRun): RunNotes {
  lazy.notes ??= new RunNotes()
  return lazy.notes
}

/** Keeps how far the run is. */
export function noteProgress(run: NotedRun, fraction: number, note: unknown): void {
  const { environment } = run
  const at = new Date(environment.now())
  const kept = note === undefined ? {} : { note: keptText(textOf(note), environment.redact) }
  notesOf(run).progress = { fraction, at, ...kept }
  environment.noted(run)
}

/** The scheduler's logger with the run's bindings. What is written before the run's end is kept, too. */
export function logOf(run: NotedRun): Logger {
  const { environment, job } = run
  if (!job.policies.keep.logs) return bind(environment.userLog, run)
  return bind(environment.userLog, run, (level, fields, message) => {
    if (run.ended) return
    notesOf(run).add(environment.now(), level, writtenOf(fields, message), environment.redact)
    environment.noted(run)
  })
}

/** The fields come first or are left out, as in pino. */
function writtenOf(fields: unknown, message: unknown): Written {
  if (typeof fields !== 'object' || fields === null) return { message: textOf(fields) }
  if (isError(fields))
    return { message: textOf(message ?? describe(fields).message), fields: { error: fields } }
  return { message: message === undefined ? '' : textOf(message), fields }
}
