import { EscapementError, show } from '../errors.ts'
import type { Follow, Trigger } from '../types/index.ts'
import { checkKeys, oneOf } from '../util/validate.ts'

/**
 * When a run of another job ends. The run gets the other's tick as its own instant and the other run as
 * `run.parent`. Which jobs follow which is checked at start: cycles and unknown names are refused.
 *
 * @param job The other job's name.
 * @param options `on`: `'succeeded'` (default), `'failed'` (also timed out, cancelled or its lease lost), or
 *   `'settled'`: either. Ticks that were missed or skipped do not count.
 * @throws ERR_ESCAPEMENT_TRIGGER, ERR_ESCAPEMENT_OPTION
 *
 * @example
 * scheduler.job('publish', after('build-report'), (run) => publish(run.parent?.result))
 */
export function after(job: string, options: { on?: Follow['on'] } = {}): Trigger {
  checkKeys(options, { on: 1 }, 'after() option')
  const { on = 'succeeded' } = options
  if (typeof job !== 'string' || job === '') {
    throw new EscapementError('ERR_ESCAPEMENT_TRIGGER', `after: expected the name of a job, got ${show(job)}`)
  }
  oneOf('on', on, ['succeeded', 'failed', 'settled'])
  return { next: () => undefined, follows: [{ job, on }], expression: `after ${job} ${on}` }
}
