import { at, type Dst, EscapementError } from '@escapement/core'

/** Where a command writes: whole lines, without the newline. */
export interface Output {
  out(text: string): void
  error(text: string): void
}

/** What the options of the command line say. */
export interface Settings {
  readonly expression: string
  /** What stands after the expression. */
  readonly rest: string | undefined
  readonly timezone: string | undefined
  readonly dst: Dst | undefined
  readonly seed: string | undefined
  /** How many instants, if that was said. */
  readonly count: number | undefined
  readonly from: Date
  readonly until: Date | undefined
  readonly lang: 'en' | 'zh'
  readonly json: boolean
}

/** The number of instants that are shown at most. */
export const MAX_INSTANTS = 100_000

/** Wrong usage: exit code 2. */
export class UsageError extends Error {}

/** An instant, or a local time in `timezone`. */
export function readTime(text: string, what: string, timezone: string | undefined): Date {
  if (text === 'now') return new Date()
  try {
    // The only instant of at() is the one it was given.
    return at(text, { timezone }).next(new Date(-8.64e15)) as Date
  } catch (error) {
    if (error instanceof EscapementError && error.code === 'ERR_ESCAPEMENT_TIMEZONE') throw error
    throw new UsageError(
      `${what}: expected a time such as 2026-11-20T09:00:00Z or "2026-11-20 09:00", got ${JSON.stringify(text)}`,
    )
  }
}
