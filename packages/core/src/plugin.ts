/**
 * What authors of plugins share: `import { checkKeys, describe } from '@escapement/core/plugin'`.
 * Apps need nothing of it.
 */

export { show } from './errors.ts'
export { LostRequests } from './fleet/lost-requests.ts'
export { Troubles } from './log/trouble.ts'
export { NO_FACTS } from './run/facts.ts'
export { Mutexes } from './run/mutex.ts'
export { CAUSES, hasEnded, OUTCOMES, SKIP_REASONS, STATES } from './run/outcomes.ts'
export { classOf, share } from './store/histogram.ts'
export { timeOf } from './store/matching.ts'
export {
  decodeData,
  digestOf,
  encodeData,
  KEY_MS,
  keyReused,
  queueFull,
} from './store/request-refusals.ts'
export { parseRetention, type Retention } from './store/retention.ts'
export { cut, printable, redact } from './text.ts'
export { WATERMARK_AHEAD } from './timetable/catch-up.ts'
export { offsetAt, systemZone, systemZoneProblem } from './triggers/cron/find-zone.ts'
export { bound } from './triggers/with-defaults.ts'
export { type Description, describe, isError, textOf } from './util/describe.ts'
export { fnv1a } from './util/hash.ts'
export { foldOf, tickId } from './util/ids.ts'
export { nearest } from './util/nearest.ts'
export { Repeat } from './util/repeat.ts'
export { answer, sleep, within } from './util/time.ts'
export {
  checkFraction,
  checkKeys,
  duration,
  fail,
  flag,
  func,
  integer,
  number,
  oneOf,
  text,
  withMethod,
} from './util/validate.ts'
