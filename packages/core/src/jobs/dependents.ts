import { EscapementError, show } from '../errors.ts'
import type { ActiveRun } from '../run/active-run.ts'
import { nearest } from '../util/nearest.ts'
import type { JobEntry } from './job-entry.ts'
import type { Registry } from './registry.ts'

const NONE: JobEntry[] = []

/** Which jobs run after which: the trees that `after()` makes. */
export class Dependents {
  readonly #registry: Registry
  #any = false

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /**
   * Refuses jobs that follow nobody, or in a circle themselves.
   *
   * @throws ERR_ESCAPEMENT_JOB_UNKNOWN, ERR_ESCAPEMENT_CYCLE, ERR_ESCAPEMENT_OPTION
   */
  check(): void {
    for (const job of this.#registry.all()) if (job.trigger.follows) this.#climb(job, [job.name])
  }

  /** A job was registered. */
  add(job: JobEntry): void {
    this.#any ||= job.trigger.follows !== undefined
  }

  /** The jobs that run after this run. */
  of(run: ActiveRun): JobEntry[] {
    if (!this.#any || run.attempt === 0) return NONE
    const end = run.outcome === 'succeeded' ? 'succeeded' : 'failed'
    return [...this.#registry.all()].filter((job) =>
      job.trigger.follows?.some(({ job, on }) => job === run.job.name && (on === 'settled' || on === end)),
    )
  }

  #refuse(parent: string, follower: string): never {
    const meant = nearest(
      parent,
      [...this.#registry.all()].map(({ name }) => name),
    )
    const hint = meant ? `: did you mean ${show(meant)}?` : ''
    const message = `there is no job ${show(parent)}, which ${show(follower)} is to run after${hint}`
    throw new EscapementError('ERR_ESCAPEMENT_JOB_UNKNOWN', message)
  }

  #climb(job: JobEntry, path: string[]): void {
    for (const { job: parent } of job.trigger.follows ?? []) {
      if (path.includes(parent)) {
        const circle = [...path.slice(path.indexOf(parent)), parent].map(show).join(' after ')
        throw new EscapementError('ERR_ESCAPEMENT_CYCLE', `jobs must not wait for themselves: ${circle}`)
      }
      const followed = this.#registry.find(parent)
      if (!followed) this.#refuse(parent, path.at(-1) as string)
      else if (followed.role !== job.role) {
        const message = `${show(job.name)} is to run after ${show(parent)}, on the same instance: both need the same role`
        throw new EscapementError('ERR_ESCAPEMENT_OPTION', message)
      } else this.#climb(followed, [...path, parent])
    }
  }
}
