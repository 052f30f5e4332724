/**
 * What authors of plugins share: `import { checkKeys, describe } from '@escapement/core/plugin'`.
 * Apps need nothing of it.
 */
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
} from './check.ts'
export { type Description, describe, isError, textOf } from './describe.ts'
export { WATERMARK_AHEAD } from './durable.ts'
export { show } from './errors.ts'
export { nearest } from './nearest.ts'
export { cut, printable, redact } from './text.ts'
export { bound } from './triggers/bind.ts'
export { offsetAt, systemZone, systemZoneProblem } from './triggers/cron/find-zone.ts'
export { Troubles } from './trouble.ts'
