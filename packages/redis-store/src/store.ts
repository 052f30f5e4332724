import { type IncidentStore, type Run, type RunRecord, type Store, toRecord } from '@escapement/core'
import { timeOf } from '@escapement/core/plugin'
import { redisAudit } from './audit.ts'
import { HOUR_MS, kindsOf, readStats } from './counters.ts'
import { redisIncidents, redisJobs } from './jobs.ts'
import type { Settings } from './options.ts'
import { readRuns } from './queries.ts'
import { redisRequests } from './requests.ts'
import { factsText, linesOf, linesText, rowOf } from './rows.ts'
import { BEGIN, COUNTED, FORGET, LINES, RECORD, UPDATE } from './scripts/index.ts'
import type { Writer } from './writer.ts'

interface StoreParts {
  readonly writer: Writer
  readonly settings: Settings
  readonly instance: () => string
  /** Names this life of the process. */
  readonly owner: () => string
  readonly trouble: () => string | undefined
  /** The end of a run came too late: it had been abandoned. */
  onRefused(record: RunRecord): void
  /** Redis has evicted runs. */
  onGone(count: number): void
}

/** An attempt failed and another follows: a crash must not hide why. */
export interface RedisStore extends Store {
  retrying(run: Run): void
  /** Keeps that a run that was asked for begins here: before its handler, so that it is not begun twice. */
  took(run: Run): Promise<void>
}

/** The history of runs and jobs, in Redis. */
export function makeStore(parts: StoreParts): RedisStore {
  const { writer, settings, owner, onGone } = parts
  const incidents = redisIncidents(writer)
  return {
    ...writes(parts),
    jobs: redisJobs(writer, [settings.runs, settings.failures.runs]),
    incidents,
    requests: redisRequests({ writer, instance: parts.instance, owner, runs: settings.runs }),
    audit: redisAudit(writer),
    trouble: parts.trouble,
    runs: (query = {}) => readRuns(writer, query, onGone),
    logs: async (run) => linesOf((await writer.ask(LINES, [run])) as string | null),
    stats: (query) =>
      readStats(writer, query, async () => {
        const jobs = (await writer.ask(COUNTED, [])) as string[]
        return jobs.filter((job) => job !== '')
      }),
    async forget(what) {
      let erased = 0
      for (;;) {
        const args = 'run' in what ? ['run', what.run] : ['job', what.job]
        const [count, more] = (await writer.ask(FORGET, args)) as [number, number]
        erased += count
        if (more !== 0) continue
        if ('job' in what) await forgetIncidents(incidents, what.job)
        return erased
      }
    },
  }
}

async function forgetIncidents(incidents: IncidentStore, job: string): Promise<void> {
  for (const one of await incidents.load()) if (one.job === job) await incidents.remove(one.key, one.version)
}

/** What begin.lua is given. */
function begun({ writer, settings, owner }: StoreParts, run: Run): (string | number)[] {
  const now = writer.clock.now()
  const row = rowOf({ ...toRecord(run), state: 'running' }, owner())
  return [run.id, row, settings.runs, settings.failures.runs, now, hourOf(now)]
}

function hourOf(at: number): number {
  return at - (at % HOUR_MS)
}

/** What is written of a run while it goes on. */
function writes(parts: StoreParts): Pick<RedisStore, 'begin' | 'took' | 'update' | 'retrying' | 'record'> {
  const { writer, settings, onRefused } = parts
  const { runs, failures, runBytes, total, counters } = settings
  const limits = [runs, failures.runs] as const
  return {
    begin: (run) => writer.later(BEGIN, begun(parts, run)),
    async took(run) {
      try {
        await writer.ask(BEGIN, begun(parts, run))
      } catch {
        // The store being away keeps no run from its handler.
      }
    },
    update(run) {
      writer.later(UPDATE, [run.id, '', '', factsText(toRecord(run)), linesText(run)])
    },
    retrying(run) {
      const { id, attempt, errors } = toRecord(run)
      writer.later(UPDATE, [id, attempt, JSON.stringify(errors), '', ''])
    },
    record(run) {
      // The record of the instance that has it says more.
      if (run.reason === 'claimed-elsewhere') return
      const record = toRecord(run)
      const hour = hourOf(timeOf(record.id))
      const kinds = JSON.stringify(kindsOf(record))
      const args = [record.id, rowOf(record, ''), linesText(run), ...limits, hour, kinds]
      writer.later(RECORD, [...args, runBytes, total, counters], (answer) => {
        if (answer === 'refused') onRefused(record)
      })
    },
  }
}
