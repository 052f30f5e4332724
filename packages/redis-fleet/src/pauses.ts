import type { Pause } from '@escapement/core'
import { askMajority, type Master } from './masters.ts'
import { PAUSES } from './scripts/index.ts'

/** What is kept of a job: a pause as JSON, or nothing since it was resumed. */
interface Kept {
  /** Rises: digits of one length, then the instance. */
  readonly version: string
  readonly body: string
}

interface PausesParts {
  readonly masters: () => readonly Master[]
  readonly instance: () => string
  /** Wall time in ms. */
  readonly now: () => number
}

/**
 * The pauses of a fleet. The one of the highest version that a majority is asked for is in force. What a master lacks is
 * given to it, so that pauses outlive a Redis that was emptied as long as an instance lives.
 */
export class SharedPauses {
  readonly #parts: PausesParts
  /** By job; `''` stands for all jobs. */
  readonly #known = new Map<string, Kept>()
  #newest = 0

  constructor(parts: PausesParts) {
    this.#parts = parts
  }

  /** The pauses in force, as they were last read. */
  get all(): Pause[] {
    return [...this.#known].flatMap(([job, { body }]) => this.#inForce(job, body) ?? [])
  }

  /** Reads them, and mends what a master lacks. */
  async read(): Promise<Pause[]> {
    await this.#exchange([])
    return this.all
  }

  /** Keeps a pause, or that there is none. */
  async keep(job: string | undefined, pause: Pause | undefined): Promise<void> {
    const at = Math.max(this.#newest + 1, Math.floor(this.#parts.now()))
    await this.#put(job ?? '', at, pause ? JSON.stringify(pause) : '')
  }

  /** Keeps a pause unless there was ever one of the job. Gives the one in force. */
  async propose(pause: Pause): Promise<Pause | undefined> {
    const job = pause.job ?? ''
    await this.#exchange([])
    // Any pause by hand has a higher version.
    if (!this.#known.has(job)) await this.#put(job, 0, JSON.stringify(pause))
    const kept = this.#known.get(job)
    return kept && this.#inForce(job, kept.body)
  }

  #inForce(job: string, body: string): Pause | undefined {
    if (body === '') return undefined
    const pause = pauseOf(job, body)
    return pause.until && pause.until.getTime() <= this.#parts.now() ? undefined : pause
  }

  async #put(job: string, at: number, body: string): Promise<void> {
    const version = `${String(at).padStart(16, '0')}:${this.#parts.instance().replaceAll('|', '_')}`
    await this.#exchange([job, version, body])
  }

  async #exchange(given: readonly string[]): Promise<void> {
    const masters = this.#parts.masters()
    const answers = await askMajority(masters, PAUSES, given)
    const has = answers.map(({ master, reply }) => ({ master, kept: this.#learn(reply as string[]) }))
    // A master that was emptied, or did not answer before.
    await Promise.allSettled(
      has.map(async ({ master, kept }) => {
        const lacking = [...this.#known].filter(([job, { version }]) => (kept.get(job) ?? '') < version)
        if (lacking.length === 0) return
        const args = lacking.flatMap(([job, { version, body }]) => [job, version, body])
        await masters[master]?.ask(PAUSES, args)
      }),
    )
  }

  /** Gives the versions that a master has. */
  #learn(reply: readonly string[]): Map<string, string> {
    const versions = new Map<string, string>()
    for (let i = 0; i < reply.length; i += 2) {
      const [job, text] = [reply[i] as string, reply[i + 1] as string]
      const version = text.slice(0, text.indexOf('|'))
      versions.set(job, version)
      this.#newest = Math.max(this.#newest, Number(version.slice(0, 16)))
      if ((this.#known.get(job)?.version ?? '') < version)
        this.#known.set(job, { version, body: text.slice(version.length + 1) })
    }
    return versions
  }
}

function pauseOf(job: string, body: string): Pause {
  const { at, until, by, reason } = JSON.parse(body) as Pause
  return {
    job: job === '' ? undefined : job,
    at: new Date(at),
    ...(until && { until: new Date(until) }),
    ...(by !== undefined && { by }),
    ...(reason !== undefined && { reason }),
  }
}
