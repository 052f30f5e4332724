import type { Asked, Run, Tick } from '../types/index.ts'
import { LazyFields } from './lazy-fields.ts'
import { NONE, RunSnapshot } from './snapshot.ts'

/** The side of a run that waits for its turn, and that others wait for; and the fields that most runs never have. */
export class WaitingRun extends RunSnapshot {
  /** What most runs never have: undefined until something of it is set. */
  lazyFields: LazyFields | undefined = undefined

  get lazy(): LazyFields {
    this.lazyFields ??= new LazyFields()
    return this.lazyFields
  }

  override get id(): string {
    const { lazy } = this
    lazy.id ??= super.id
    return lazy.id
  }

  override get tick(): Tick {
    const { lazy } = this
    lazy.tick ??= super.tick
    return lazy.tick
  }

  get asked(): Asked | undefined {
    return this.lazyFields?.request?.asked
  }

  get parent(): Run | undefined {
    return this.lazyFields?.parent
  }

  get claimedIn(): number | undefined {
    return this.lazyFields?.claimedIn
  }

  get traceparent(): string | undefined {
    return this.lazyFields?.traceparent
  }

  set traceparent(traceparent: string | undefined) {
    this.lazy.traceparent = traceparent
  }

  get traceUrl(): string | undefined {
    return this.lazyFields?.traceUrl
  }

  set traceUrl(url: string | undefined) {
    this.lazy.traceUrl = url
  }

  /** The whole run was aborted, not only the attempt under way. */
  get over(): boolean {
    return this.lazyFields?.over === true
  }

  /** Resolves when the run has its outcome. */
  get settled(): Promise<Run> {
    if (this.ended) return Promise.resolve(this as unknown as Run)
    return new Promise((resolve) => {
      const { lazy } = this
      lazy.waiters ??= []
      lazy.waiters.push(() => resolve(this as unknown as Run))
    })
  }

  /** Waits for its turn: true after `proceed()`, false when the run was aborted or dismissed. */
  wait(): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.over) resolve(false)
      else this.lazy.wake = resolve
    })
  }

  /** Its turn has come. */
  proceed(): void {
    wake(this, true)
  }

  /** Its turn will not come. */
  dismiss(): void {
    wake(this, false)
  }

  /** Its turn has not come: as if it had never been sent on its way. */
  reopen(): void {
    this.outcome = undefined
    this.reason = undefined
    this.state = 'due'
    this.errors = NONE
    this.endedAtMono = NaN
    this.lazy.ending = undefined
  }

  /** Resolves the promises of those that wait for the end. */
  resolveWaiters(): void {
    const waiters = this.lazyFields?.waiters
    if (!waiters) return
    this.lazy.waiters = undefined
    for (const resolve of waiters) resolve()
  }
}

function wake({ lazyFields }: WaitingRun, passed: boolean): void {
  if (!lazyFields) return
  const { wake: resolve } = lazyFields
  lazyFields.wake = undefined
  resolve?.(passed)
}
