import assert from 'node:assert/strict'
import {
  type Cause,
  type Outcome,
  type Run,
  type RunCounts,
  type RunQuery,
  type RunRecord,
  type Store,
  toRecord,
} from '@escapement/core'
import { classOf, timeOf } from '@escapement/core/plugin'
import type { Case } from './case.ts'
import { fakeRun } from './fake-run.ts'
import { idAt, numbers } from './random.ts'

type Simple = (name: string, work: (store: Store) => Promise<void>, runs?: number) => Case

const HOUR_MS = 3_600_000
const BASE = Date.parse('2026-11-20T00:00:00Z')
const OUTCOMES: readonly Outcome[] = ['succeeded', 'failed', 'timed-out', 'cancelled', 'missed']
const CAUSES: readonly Cause[] = ['schedule', 'manual', 'catch-up', 'retry']
const MESSAGES = [
  'no such file',
  'Connection RESET by peer',
  'ÄRGER mit Ümläuten',
  '100% of a_b',
  "it's \\ odd",
]

function randomRuns(count: number) {
  const random = numbers(7)
  return Array.from({ length: count }, (_, i) => {
    const at = BASE + random(30) * HOUR_MS + random(HOUR_MS)
    const outcome = OUTCOMES[random(OUTCOMES.length)] as Outcome
    const failed = outcome === 'failed' || outcome === 'timed-out'
    return fakeRun({
      id: idAt(at, i),
      job: `job ${random(5)}`,
      at: at + i / 1e6,
      outcome,
      cause: CAUSES[random(CAUSES.length)] as Cause,
      duration: random(100_000) / 10,
      late: random(1000) / 10,
      ...(failed && { errors: [new Error(MESSAGES[random(MESSAGES.length)])] }),
    })
  })
}

function randomQuery(random: (below: number) => number, records: readonly RunRecord[]): RunQuery {
  const some = <T>(values: readonly T[]) => values[random(values.length)] as T
  const query: RunQuery = { limit: 1 + random(40) }
  if (random(2)) query.job = `job ${random(6)}`
  if (random(3) === 0) query.outcome = random(2) ? some(OUTCOMES) : [some(OUTCOMES), some(OUTCOMES)]
  if (random(5) === 0) query.state = [some(OUTCOMES)]
  if (random(3) === 0) query.cause = random(2) ? some(CAUSES) : [some(CAUSES), some(CAUSES)]
  if (random(4) === 0) query.from = BASE + random(30) * HOUR_MS
  if (random(4) === 0) query.until = new Date(BASE + random(30) * HOUR_MS)
  if (random(4) === 0) query.text = some(['RESET', 'ümläut', '100%', '_b', '\\ odd', 'JOB 3', 'nothing'])
  if (random(8) === 0) query.id = some(records).id
  if (random(8) === 0) query.key = some(records).key
  const cursor = random(4)
  // It need not be there any more.
  const id = random(2) ? some(records).id : idAt(BASE + random(30) * HOUR_MS, 0)
  if (cursor === 0) query.before = id
  if (cursor === 1) query.after = id
  return query
}

/** What a query means, one run at a time. */
function expected(records: readonly RunRecord[], query: RunQuery): string[] {
  const { id, job, outcome, state, cause, key, text, from, until, before, after, limit = 100 } = query
  const among = (wanted: unknown, value: unknown) =>
    wanted === undefined || (Array.isArray(wanted) ? wanted.includes(value) : wanted === value)
  const found = records
    .filter(
      (run) =>
        among(id, run.id) &&
        among(job, run.job) &&
        among(outcome, run.outcome) &&
        among(state, run.state) &&
        among(cause, run.cause) &&
        among(key, run.key) &&
        (from === undefined || timeOf(run.id) >= Number(from)) &&
        (until === undefined || timeOf(run.id) < Number(until)) &&
        (before === undefined || run.id < before) &&
        (after === undefined || run.id > after) &&
        (text === undefined ||
          `${run.job}\n${run.error?.message}`.toLowerCase().includes(text.toLowerCase())),
    )
    .map((run) => run.id)
    .toSorted()
    .toReversed()
  return after === undefined ? found.slice(0, limit) : found.slice(Math.max(0, found.length - limit))
}

/** Queries and counters. */
export function queryCases(simple: Simple, count: number): Case[] {
  return [
    simple(
      `queries give what a filter of ${count} runs gives`,
      async (store) => {
        const runs = randomRuns(count)
        await Promise.all(runs.map(async (run) => store.record(run)))
        const records = runs.map(toRecord)
        const random = numbers(11)
        for (let i = 0; i < 150; i++) {
          const query = randomQuery(random, records)
          const found = (await store.runs(query)).map(({ id }) => id)
          assert.deepEqual(found, expected(records, query), JSON.stringify(query))
        }
      },
      3 * count,
    ),
    simple(
      'counters tell what the records tell, by hour and by day, of each job and of all',
      async (store) => {
        assert.ok(store.stats, 'it counts')
        const runs = randomRuns(500)
        await Promise.all(runs.map(async (run) => store.record(run)))
        const until = BASE + 40 * HOUR_MS
        for (const step of ['hour', 'day'] as const) {
          for (const job of [undefined, 'job 3']) {
            const counted: readonly RunCounts[] = await store.stats({
              from: BASE,
              until,
              step,
              ...(job && { job }),
            })
            const length = step === 'hour' ? HOUR_MS : 24 * HOUR_MS
            for (const { at, outcomes, durations } of counted) {
              const of: Run[] = runs.filter(
                (run) =>
                  Math.floor(timeOf(run.id) / length) * length === at.getTime() &&
                  (!job || run.job.name === job),
              )
              const tally = (keys: readonly (string | number)[]) => {
                const sums: Record<string, number> = {}
                for (const key of keys) sums[key] = (sums[key] ?? 0) + 1
                return sums
              }
              assert.deepEqual({ ...outcomes }, tally(of.map((run) => run.outcome as string)))
              const began = of.filter(({ attempt }) => attempt > 0)
              assert.deepEqual(
                { ...durations },
                tally(began.map((run) => classOf(toRecord(run).duration ?? 0))),
              )
            }
            assert.ok(counted.length >= 1)
          }
        }
        const each = await store.stats({ from: BASE, until, step: 'day', perJob: true })
        assert.deepEqual(
          [...new Set(each.map(({ job }) => String(job)))].toSorted(),
          [0, 1, 2, 3, 4].map((i) => `job ${i}`),
        )
      },
      1_000,
    ),
    simple('ticks in a row that are skipped for one reason are one record', async (store) => {
      const skip = (at: number, reason: 'paused' | 'overlap', instance = 'a') =>
        store.record(
          fakeRun({ id: idAt(BASE + at, 0), job: 'a', at: BASE + at, outcome: 'skipped', reason, instance }),
        )
      await store.record(fakeRun({ id: idAt(BASE, 0), job: 'a', at: BASE, outcome: 'succeeded' }))
      for (let i = 1; i <= 3; i++) await skip(i, 'paused')
      for (let i = 4; i <= 5; i++) await skip(i, 'overlap')
      await skip(6, 'paused')
      const runs = await store.runs({ job: 'a' })
      assert.deepEqual(
        runs.map(({ reason, count, scheduledAt, until }) => [
          reason,
          count,
          scheduledAt.getTime() - BASE,
          until && until.getTime() - BASE,
        ]),
        [
          ['paused', undefined, 6, undefined],
          ['overlap', 2, 4, 5],
          ['paused', 3, 1, 3],
          [undefined, undefined, 0, undefined],
        ],
      )
      const [counts] = (await store.stats?.({ from: BASE, job: 'a' })) ?? []
      assert.deepEqual({ ...counts?.outcomes }, { skipped: 6, succeeded: 1 })
    }),
    simple('what is erased is gone', async (store) => {
      assert.ok(store.forget, 'it can forget')
      const runs = [1, 2, 3].map((i) => fakeRun({ job: 'a', at: i, outcome: 'succeeded' }))
      const other = fakeRun({ job: 'b', at: 1, outcome: 'succeeded' })
      for (const run of [...runs, other]) await store.record(run)
      assert.equal(await store.forget({ run: (runs[0] as { id: string }).id }), 1)
      assert.equal(await store.forget({ run: 'none' }), 0)
      assert.equal((await store.runs({ job: 'a' })).length, 2)
      assert.equal(await store.forget({ job: 'a' }), 2)
      assert.deepEqual(
        (await store.runs()).map(({ id }) => id),
        [other.id],
      )
      assert.deepEqual(await store.stats?.({ from: 0, job: 'a' }), [])
    }),
    simple('a job is erased with its incidents and the requests that wait', async (store) => {
      for (const job of ['a', 'b'])
        await store.incidents?.save({ key: `failed:${job}`, version: 1, job } as {
          key: string
          version: number
        })
      const now = Date.now()
      const asked = { at: now, expires: now + 60_000, data: 'secret', key: undefined, asked: undefined }
      if (store.jobs) await store.requests?.accept({ ...asked, id: fakeRun().id, job: 'a' }, 10)
      await store.forget?.({ job: 'a' })
      assert.deepEqual(
        (await store.incidents?.load())?.map(({ key }) => key),
        ['failed:b'],
      )
      assert.deepEqual((await store.requests?.due(now + 1, () => 1)) ?? [], [])
    }),
    simple('the audit is kept and can be asked', async ({ audit }) => {
      assert.ok(audit, 'it keeps an audit')
      const entry = (i: number, by: string, action: 'paused' | 'asked') =>
        ({
          id: idAt(BASE + i, i),
          at: new Date(BASE + i),
          action,
          job: `job ${i % 2}`,
          by,
          instance: 'x',
        }) as const
      const entries = [entry(1, 'ann', 'paused'), entry(2, 'bob', 'asked'), entry(3, "o'neil", 'paused')]
      for (const one of entries) await audit.add(one)
      const ids = async (query: Parameters<typeof audit.list>[0]) =>
        (await audit.list(query)).map(({ id }) => id)
      assert.deepEqual(await audit.list({}), entries.toReversed())
      assert.deepEqual(await ids({ by: "o'neil" }), [entries[2]?.id])
      assert.deepEqual(await ids({ action: 'paused', job: 'job 1' }), [entries[2]?.id, entries[0]?.id])
      assert.deepEqual(await ids({ before: entries[2]?.id as string, limit: 1 }), [entries[1]?.id])
      assert.deepEqual(await ids({ from: BASE + 2, until: BASE + 3 }), [entries[1]?.id])
    }),
  ]
}
