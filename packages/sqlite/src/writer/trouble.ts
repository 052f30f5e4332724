import { describe } from '@escapement/core/plugin'
import { isBusy } from '../file/driver.ts'
import { MAX_WAITING } from './backlog.ts'

/** Failures in a row while another process is writing, from which on the file is in trouble. */
const MAX_TRIES = 5

const LOCKED =
  'the file is locked by another program: claims are refused and records wait until it is released: end its transaction'

/** Whether the file can be written. Each change is reported once. */
export class FileTrouble {
  /** Called with the fault of a record, and once when the file begins to fail. */
  onError: (error: unknown) => void = () => {}
  /** Called with a line when another program begins to hold the file for long, and when the file works again. */
  onNotice: (line: string) => void = () => {}
  /** In a row. */
  failures = 0
  #reason: string | undefined
  /** Records given up since the trouble began. */
  #lost = 0

  /** What is wrong with the file now, in one line. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** A write has failed. Returns whether it is time to answer those that wait. */
  count(): boolean {
    return ++this.failures >= MAX_TRIES
  }

  /** A short wait for another process is no trouble. */
  fails(error: unknown): void {
    if (this.#reason !== undefined || (isBusy(error) && this.failures < MAX_TRIES)) return
    this.#reason = `the file cannot be written: ${describe(error).message}`
    if (isBusy(error)) this.onNotice(LOCKED)
    else this.onError(error)
  }

  gaveUp(records: number): void {
    const { entries, bytes } = MAX_WAITING
    const limit = `${entries} records or ${bytes / 1024 / 1024} MiB`
    if (this.#lost === 0)
      this.onError(new Error(`${limit} wait for the file: the oldest are given up from now on`))
    this.#lost += records
  }

  works(): void {
    const lost = this.#lost
    const was = this.#reason !== undefined || lost > 0
    this.reset()
    if (!was) return
    this.onNotice(
      `the file can be written again${lost > 0 ? `: ${lost} records were given up meanwhile` : ''}`,
    )
  }

  reset(): void {
    this.failures = 0
    this.#reason = undefined
    this.#lost = 0
  }
}
