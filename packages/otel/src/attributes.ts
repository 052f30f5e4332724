import type { Run } from '@escapement/core'
import { describe, isError } from '@escapement/core/plugin'
import type { Attributes } from '@opentelemetry/api'

/** What is known of a run when its span begins. Samplers see these. */
export function startAttributes(run: Run): Attributes {
  const { trigger } = run.job
  const attributes: Attributes = {
    'job.system': 'escapement',
    'job.name': run.job.name,
    'job.run.id': run.id,
    'job.cause': run.cause,
    // Its name before 0.2; it goes with the next minor version.
    'job.trigger': run.cause,
    'job.scheduled_time': run.tick.scheduledAt.toISOString(),
  }
  if (trigger.expression) attributes['job.schedule'] = trigger.expression
  if (trigger.timezone) attributes['job.schedule.timezone'] = trigger.timezone
  return attributes
}

/** The conventions' names for functions that timers call: for backends that know those. */
export function faasAttributes(run: Run): Attributes {
  const attributes: Attributes = {
    'faas.trigger': run.requested ? 'other' : 'timer',
    'faas.invocation_id': run.id,
    'faas.time': run.tick.scheduledAt.toISOString(),
  }
  if (run.job.trigger.expression) attributes['faas.cron'] = run.job.trigger.expression
  return attributes
}

/** What is known of a run at its end. */
export function endAttributes(run: Run): Attributes {
  const attributes: Attributes = { 'job.outcome': run.outcome as string }
  if (run.attempt > 0) attributes['job.attempt'] = run.attempt
  if (run.reason) attributes['job.skip.reason'] = run.reason
  if (failed(run)) attributes['error.type'] = errorType(run.error)
  return attributes
}

/** Whether the outcome is an error: a run that was cancelled or skipped is none. */
export function failed({ outcome }: Run): boolean {
  return (
    outcome === 'failed' || outcome === 'timed-out' || outcome === 'lease-lost' || outcome === 'abandoned'
  )
}

/** The error's code, or its class: there are few of either, as a label needs. */
export function errorType(error: unknown): string {
  if (!isError(error)) return error === undefined ? '_OTHER' : typeof error
  const { name, code } = describe(error)
  return code !== undefined && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : name
}
