import type { Job, Outcome, RunRecord } from '@escapement/core'
import { describe as inWords } from 'escapement'
import { given } from '../query.ts'
import type { JobBrief, Json, RecentRun, RunBrief } from '../types.ts'

const FAILED: readonly Outcome[] = ['failed', 'timed-out', 'abandoned', 'lease-lost']
/** A tick that has not begun for so long is overdue, in ms. */
const OVERDUE_MS = 60_000
/** Outcomes that are shown of a job. */
const MAX_RECENT = 30

export function isFailure(outcome: Outcome | undefined): boolean {
  return outcome !== undefined && FAILED.includes(outcome)
}

/** Plain data of plain data: what JSON makes of it. */
export function plain<T>(value: T): Json<T> {
  return JSON.parse(JSON.stringify(value)) as Json<T>
}

export function briefOf(run: RunRecord): RunBrief {
  const { id, job, outcome, state, instance, reason, duration, count, error, progress } = run
  const message = error?.message.split('\n')[0]
  return {
    id,
    job,
    state,
    instance,
    scheduledAt: run.scheduledAt.toISOString(),
    ...given({
      outcome,
      startedAt: run.startedAt?.toISOString(),
      endedAt: run.endedAt?.toISOString(),
      duration,
      reason,
      count,
      until: run.until?.toISOString(),
      error: message === undefined ? undefined : message.slice(0, 300),
      progress: progress && { fraction: progress.fraction, ...given({ note: progress.note }) },
    }),
  }
}

/** What is known of a job besides what its scheduler says. */
export interface JobHistory {
  /** Its newest runs, the newest first. */
  readonly runs: readonly RecentRun[]
  readonly usual: number | undefined
}

export function jobBrief(job: Job, { runs, usual }: JobHistory, now: number): JobBrief {
  const { name, description, owner, group, role, runbook, trigger, next, running, paused, last } = job
  const recent = runs.slice(0, MAX_RECENT).toReversed()
  // A process that has just started knows no end of a run yet: the history does.
  const newest = recent.at(-1)
  const known = last ?? (newest && { outcome: newest.outcome, at: new Date(newest.at) })
  const late = next !== undefined && !paused && next.getTime() + job.policies.spread < now - OVERDUE_MS
  return {
    name,
    running,
    recent,
    failing: isFailure(newest?.outcome ?? last?.outcome),
    ...given({
      description,
      owner,
      group,
      role,
      runbook,
      schedule: trigger.expression,
      words: bothWordsOf(trigger.expression, name),
      overdue: late ? next.toISOString() : undefined,
      timezone: trigger.timezone,
      next: next?.toISOString(),
      paused: paused && plain(paused),
      last: known && { outcome: known.outcome, at: known.at.toISOString() },
      usual,
    }),
  }
}

function bothWordsOf(expression: string | undefined, seed: string): JobBrief['words'] {
  const [en, zh] = [wordsOf(expression, seed, 'en'), wordsOf(expression, seed, 'zh')]
  return en === undefined || zh === undefined ? undefined : { en, zh }
}

/** A schedule in words; undefined when it is none that has words. */
export function wordsOf(expression: string | undefined, seed: string, lang: 'en' | 'zh'): string | undefined {
  if (expression === undefined) return undefined
  try {
    return inWords(expression, { lang, seed })
  } catch {
    return undefined
  }
}
