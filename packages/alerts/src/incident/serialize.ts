import type { Job, Run } from '@escapement/core'
import { type Description, describe } from '@escapement/core/plugin'
import type { ErrorFacts, JobFacts, RunFacts } from '../types/index.ts'

const MESSAGE = 2000
const STACK = 6000
const ERRORS = 10
const CAUSES = 5

/** A run as plain data. `traceUrl`: instead of the link that a tracing plugin gave the run. */
export function runFacts(run: Run, traceUrl?: (traceId: string) => string | undefined): RunFacts {
  return {
    id: run.id,
    tick: run.tick.id,
    scheduledAt: run.tick.scheduledAt,
    cause: run.cause,
    outcome: run.outcome,
    reason: run.reason,
    attempts: run.attempt,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    duration: Math.round(run.duration),
    late: Math.round(run.late),
    instance: run.instance,
    traceId: run.traceId,
    traceUrl: link(run, traceUrl),
  }
}

/** A job as plain data. `zone`: the scheduler's. */
export function jobFacts(job: Job, zone: string): JobFacts {
  const { name, description, owner, runbook, group, trigger, next } = job
  const timezone = trigger.timezone ?? zone
  return { name, description, owner, runbook, group, schedule: trigger.expression, timezone, next }
}

/** The errors of a run's attempts: the first and the newest, when there are many. */
export function errorFacts(run: Run): ErrorFacts[] {
  const all = run.errors.map((error, i) => [error, i + 1] as const)
  const chosen = all.length > ERRORS ? [all[0] as (typeof all)[0], ...all.slice(1 - ERRORS)] : all
  return chosen.map(([error, attempt]) => errorFact(error, attempt))
}

/** An error, or whatever was thrown, as plain data. Never throws. */
export function errorFact(error: unknown, attempt = 1): ErrorFacts {
  const known = describe(error)
  const { name, message, code, stack } = known
  return {
    attempt,
    name: cut(name, 100),
    message: cut(message, MESSAGE),
    code: code === undefined ? undefined : cut(code, 100),
    stack: stack === undefined ? undefined : cut(stack, STACK),
    causes: causesOf(known)
      .slice(0, CAUSES)
      .map((cause) => cut(cause, 500)),
  }
}

/** What tells one failure from another: the error's name and code, not its message. */
export function errorType(facts: ErrorFacts | undefined): string {
  return facts ? `${facts.name}${facts.code ? ` ${facts.code}` : ''}` : ''
}

/** The nearest first, each followed by its own. */
function causesOf({ causes = [] }: Description): string[] {
  return causes.flatMap((cause) => [cause.message, ...causesOf(cause)])
}

/** At most `length` characters, never half of a surrogate pair. */
export function cut(value: string, length: number): string {
  if (value.length <= length) return value
  return `${value.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

/** None to a trace that was not sampled: nobody will find it. */
function link(run: Run, traceUrl: ((traceId: string) => string | undefined) | undefined): string | undefined {
  const { traceId } = run
  if (!traceId || !sampled(run)) return undefined
  return traceUrl ? safely(() => traceUrl(traceId)) : run.traceUrl
}

/** Bit 0 of the flags of W3C Trace Context. A trace id without context is taken as sampled. */
function sampled({ traceparent }: Run): boolean {
  return traceparent === undefined || (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1
}

function safely<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
