import type { Trigger } from '../types/index.ts'

class Manual implements Trigger {
  readonly expression = 'manual'

  next(): undefined {
    return undefined
  }
}

const only = new Manual()

/**
 * Never due by itself: the job runs when it is asked to.
 *
 * @example
 * scheduler.job('import', manual(), handler)
 * await scheduler.run('import', { file })
 */
export function manual(): Trigger {
  return only
}

/** Whether a trigger has no instants on purpose. */
export function isManual(trigger: Trigger): boolean {
  return trigger instanceof Manual || trigger?.expression === 'manual'
}
