import { createHash } from 'node:crypto'

/** Of more jobs than this, an instance tells nothing: the entry of 2,000 jobs has 24 kB. */
export const MAX_JOBS = 2000
/** No instance can have a longer one. */
export const MAX_LEASE_MS = 3_600_000
const NAME_CHARS = 8
const ENTRY_CHARS = 12
/** The schedule of a trigger that has no expression: it cannot be compared. */
const UNKNOWN = '----'

/** What one instance says: `1|lease|app|digest`. Its jobs have an entry of their own, which the digest identifies. */
const HEAD = /^1\|(\d{1,12})\|([\w@/.-]{0,100})\|([\w-]{1,16})$/
/** The dot tells no jobs from jobs that are not told. */
const JOBS = /^\.(?:[\w-]{12})*$/

/** What an instance says about itself. A job is given by 48 bits of its name and 24 of its schedule. */
export interface Presence {
  readonly lease: number
  /** The name of the app's package; empty if not known. */
  readonly app: string
  /** Names the jobs: instances of the same jobs have the same. */
  readonly digest: string
}

/** The jobs of an instance. */
export class Roster {
  readonly #schedules = new Map<string, string>()

  /** @param text As it is stored. */
  constructor(text: string) {
    for (let i = 1; i < text.length; i += ENTRY_CHARS) {
      this.#schedules.set(text.slice(i, i + NAME_CHARS), text.slice(i + NAME_CHARS, i + ENTRY_CHARS))
    }
  }

  /** @param entry Of a job, or only of its name. */
  has(entry: string): boolean {
    return this.#schedules.has(entry.slice(0, NAME_CHARS))
  }

  /** Whether the job has another schedule there. */
  differs(entry: string): boolean {
    const theirs = this.#schedules.get(entry.slice(0, NAME_CHARS))
    const ours = entry.slice(NAME_CHARS)
    return theirs !== undefined && theirs !== ours && theirs !== UNKNOWN && ours !== UNKNOWN
  }
}

/** What is stored of too many jobs. */
export const UNTOLD: { readonly text: string; readonly digest: string } = { text: '', digest: '-' }

/** The jobs as they are stored, and their digest. */
export function rosterText(entries: readonly string[]): { text: string; digest: string } {
  const text = `.${[...entries].sort().join('')}`
  return { text, digest: digest(text, ENTRY_CHARS) }
}

/** Undefined if it is none: of too many jobs nothing is reported, and a later version may tell more. */
export function parseRoster(text: string): Roster | undefined {
  if (text.length > 1 + MAX_JOBS * ENTRY_CHARS || !JOBS.test(text)) return
  return new Roster(text)
}

export function presenceText({ lease, app, digest }: Presence): string {
  return `1|${lease}|${app}|${digest}`
}

export function parsePresence(text: string): Presence | undefined {
  const [, lease, app = '', digest = ''] = HEAD.exec(text) ?? []
  return Number(lease) <= MAX_LEASE_MS ? { lease: Number(lease), app, digest } : undefined
}

/** @param schedule The expression and its zone; undefined where they are not known. */
export function entryOf(job: string, schedule?: string): string {
  return digest(job, NAME_CHARS) + (schedule === undefined ? UNKNOWN : digest(schedule, UNKNOWN.length))
}

function digest(text: string, chars: number): string {
  return createHash('sha1').update(text).digest('base64url').slice(0, chars)
}
