import type { Host, Maybe, PauseInfo } from '@escapement/core'

/** Where a backend keeps which jobs are paused. Each function is one transaction. */
export interface PauseTable {
  /** Keeps the pause of a job; null when it was resumed. */
  keepPause(job: string, paused: string | null): Maybe<void>
  /** The jobs that are paused now. */
  pausedJobs(): Maybe<readonly PausedJob[]>
}

export interface PausedJob {
  readonly name: string
  /** As it was given to `keepPause()`. */
  readonly paused: string
}

/** Lets a pause that is made on one instance take effect on all. */
export class Pauses {
  readonly #table: () => PauseTable
  /** What was read or written last, of each job that was paused then. */
  #known = new Map<string, string>()
  /** How many changes are being written, how many were, and the last of them. */
  #writing = 0
  #writes = 0
  #written: Promise<unknown> = Promise.resolve()
  /** What is paused or resumed now was read from the database: it is not written again. */
  #reading = false

  constructor(table: () => PauseTable) {
    this.#table = table
  }

  /** Writes changes one after the other: each may go to another session, and the last one counts. */
  keep(job: string, paused: PauseInfo | undefined): Promise<void> | undefined {
    if (this.#reading) return
    const text = pauseText(paused)
    this.#writing++
    const write = async () => {
      try {
        await this.#table().keepPause(job, text)
        if (text === null) this.#known.delete(job)
        else this.#known.set(job, text)
      } finally {
        this.#writing--
        this.#writes++
      }
    }
    const written = this.#written.then(write)
    this.#written = written.catch(() => {})
    return written
  }

  /** Looks for changes since the last look. */
  async look(host: Host): Promise<void> {
    const writes = this.#writes
    const rows = await this.#table().pausedJobs()
    // What was read may be older than what was written meanwhile, or is being written.
    if (this.#writing > 0 || this.#writes !== writes) return
    const known = this.#known
    this.#known = new Map(rows.map(({ name, paused }) => [name, paused]))
    for (const { name, paused } of rows) if (known.get(name) !== paused) this.#apply(host, name, paused)
    for (const name of known.keys()) if (!this.#known.has(name)) this.#apply(host, name, null)
  }

  #apply(host: Host, name: string, paused: string | null): void {
    const job = host.job(name)
    const info = pauseOf(paused)
    if (!job || !info === !job.paused) return
    this.#reading = true
    try {
      if (info) void job.pause(info)
      else void job.resume()
    } finally {
      this.#reading = false
    }
  }
}

/** A pause as it is kept. */
export function pauseText(paused: PauseInfo | undefined): string | null {
  return paused ? JSON.stringify(paused) : null
}

export function pauseOf(text: unknown): PauseInfo | undefined {
  return text === null || text === undefined ? undefined : (JSON.parse(String(text)) as PauseInfo)
}
