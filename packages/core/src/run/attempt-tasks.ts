import type { Failure } from './failure.ts'
import type { TaskGroup } from './task-group.ts'

/** What an attempt has begun and waits for at its end: its groups, then its cleanups. */
export class AttemptTasks {
  readonly #groups: TaskGroup[] = []
  readonly #cleanups: (() => unknown)[] = []

  get empty(): boolean {
    return this.#groups.length === 0 && this.#cleanups.length === 0
  }

  addGroup(group: TaskGroup): void {
    this.#groups.push(group)
  }

  addCleanup(fn: () => unknown): void {
    this.#cleanups.push(fn)
  }

  /** Waits for the groups and cleans up. A group's failure is the attempt's. */
  async join(failure: Failure | undefined, report: (error: unknown) => void): Promise<void> {
    let failed = failure
    for (let group = this.#groups.shift(); group; group = this.#groups.shift()) {
      if (failed) group.fail(failed.error)
      await group.done().catch((error: unknown) => {
        failed ??= { error }
      })
    }
    await this.cleanUp(report)
    if (failed) throw failed.error
  }

  /** The last that was registered comes first. */
  async cleanUp(report: (error: unknown) => void): Promise<void> {
    for (let fn = this.#cleanups.pop(); fn; fn = this.#cleanups.pop()) {
      try {
        await fn()
      } catch (error) {
        report(error)
      }
    }
  }
}
