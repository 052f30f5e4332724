import type { AuditAction } from '@escapement/core'

export { CAUSES, OUTCOMES, STATES } from '@escapement/core/plugin'

export const AUDIT_ACTIONS: readonly AuditAction[] = [
  'paused',
  'resumed',
  'asked',
  'cancelled',
  'retried',
  'forgot',
  'acknowledged',
  'muted',
  'tested',
  'entered',
]
