import assert from 'node:assert/strict'
import { type JobStore, type LogLine, type Run, type RunRecord, type Store, toRecord } from '@escapement/core'
import type { Case } from './case.ts'
import { fakeRun } from './fake-run.ts'
import type { StoreContractOptions } from './store-contract-options.ts'
import { queryCases } from './store-contract-queries.ts'
import { renameCases } from './store-contract-renames.ts'
import { requestCases } from './store-contract-requests.ts'

/**
 * What a store must do, as cases for any test runner.
 *
 * @example
 * for (const { name, run } of storeContract({ open })) test(name, run)
 */
export function storeContract({ open, durable = true, queried = 2_000 }: StoreContractOptions): Case[] {
  let opened = 0
  const with_ = async (work: (store: Store) => Promise<void>, runs = 100) => {
    const { store, close } = await open(`contract${++opened}`, { runs })
    try {
      await work(store)
    } finally {
      await close()
    }
  }
  const simple = (name: string, work: (store: Store) => Promise<void>, runs?: number): Case => ({
    name,
    run: () => with_(work, runs),
  })
  const cases: Case[] = [
    simple('a record comes back as it was given', async (store) => {
      const error = Object.assign(new RangeError('too "far" ’ünï'), { code: 'E_FAR' })
      const run = fakeRun({
        job: `it's; a "job"`,
        outcome: 'failed',
        errors: [new Error('first', { cause: error }), error],
        fence: 1_795_219_245_987_001,
        restarts: 1,
        traceId: 'abc',
        instance: 'web:1',
      })
      await store.record(run)
      const [record] = await store.runs()
      assert.deepEqual(record, toRecord(run))
      const missed = fakeRun({ at: Date.now() + 1, outcome: 'missed', until: new Date('2027-01-01') })
      await store.record(missed)
      assert.deepEqual((await store.runs())[0], toRecord(missed))
    }),
    simple('the facts of a run come back as they were given', async (store) => {
      const logLines: LogLine[] = [
        {
          at: new Date('2026-11-20T01:00:00.123Z'),
          level: 'info',
          message: 'read',
          fields: { rows: [1, 'ü'] },
        },
        { at: new Date('2026-11-20T01:00:01Z'), level: 'error', message: 'it\'s "odd"' },
      ]
      const facts = {
        data: { to: 'may', list: [null, 1.5] },
        result: 0,
        progress: { fraction: 0.5, note: 'half', at: new Date('2026-11-20T01:00:00.500Z') },
        asked: { by: 'ann', reason: 'to see' },
        parent: 'some-run',
        cut: { log: '3 more lines were left out' },
      }
      const run = fakeRun({
        job: 'a',
        outcome: 'succeeded',
        facts,
        logLines,
        late: 12.345,
        duration: 1234.567,
      })
      const plain = fakeRun({ at: Date.now() + 1, job: 'a', outcome: 'succeeded' })
      await store.record(run)
      await store.record(plain)
      assert.deepEqual(await store.runs(), [toRecord(plain), toRecord(run)])
      assert.ok(store.logs, 'it can give the lines of a run')
      assert.deepEqual(await store.logs(run.id), logLines)
      assert.deepEqual(await store.logs(plain.id), [])
      assert.deepEqual(await store.logs('no-such-run'), [])
    }),
    simple('runs come newest first, filtered by job, outcome, state and key', async (store) => {
      const runs = Array.from({ length: 12 }, (_, i) =>
        fakeRun({ job: i % 2 ? 'odd' : 'even', at: 1000 * i, outcome: i % 3 ? 'succeeded' : 'failed' }),
      )
      for (const run of runs) await store.record(run)
      const seconds = (records: RunRecord[]) => records.map(({ scheduledAt }) => scheduledAt.getTime() / 1000)
      assert.deepEqual(seconds(await store.runs()), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
      assert.deepEqual(seconds(await store.runs({ limit: 2 })), [11, 10])
      assert.deepEqual(seconds(await store.runs({ job: 'odd' })), [11, 9, 7, 5, 3, 1])
      assert.deepEqual(seconds(await store.runs({ outcome: 'failed' })), [9, 6, 3, 0])
      assert.deepEqual(seconds(await store.runs({ state: 'failed', job: 'odd' })), [9, 3])
      assert.deepEqual(seconds(await store.runs({ key: (runs[4] as { key: string }).key })), [4])
      assert.deepEqual(await store.runs({ job: 'none' }), [])
    }),
    simple('pages by cursor meet each run once', async (store) => {
      for (let i = 0; i < 25; i++) await store.record(fakeRun({ at: i, outcome: 'succeeded' }))
      const seen: number[] = []
      let before: string | undefined
      // A store that does not go on behind the cursor gives more than it has.
      while (seen.length <= 25) {
        const page = await store.runs({ limit: 10, ...(before !== undefined && { before }) })
        if (page.length === 0) break
        seen.push(...page.map(({ scheduledAt }) => scheduledAt.getTime()))
        before = page.at(-1)?.id
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 25 }, (_, i) => 24 - i),
      )
    }),
    simple(
      'ticks that did not run push out no run, and a busy job pushes out none of another',
      async (store) => {
        for (let i = 0; i < 3; i++) await store.record(fakeRun({ job: 'a', at: i, outcome: 'failed' }))
        for (let i = 3; i < 60; i++) {
          await store.record(
            fakeRun({ job: 'a', at: i, outcome: 'skipped', reason: i % 2 ? 'paused' : 'blackout' }),
          )
          await store.record(fakeRun({ job: 'busy', at: i, outcome: 'succeeded' }))
        }
        const runs = await store.runs({ job: 'a', outcome: 'failed' })
        assert.deepEqual(
          runs.map(({ scheduledAt }) => scheduledAt.getTime()),
          [2, 1, 0],
        )
      },
      10,
    ),
    simple('a tick that another instance has is in the history of that one', async (store) => {
      await store.record(fakeRun({ outcome: 'skipped', reason: 'claimed-elsewhere' }))
      assert.deepEqual(await store.runs(), [])
    }),
    simple('incidents are kept by compare-and-set', async ({ incidents }) => {
      if (!incidents) return assert.ok(!durable, 'it has no place for incidents')
      const save = async (version: number, text: string, key = 'failed:a') =>
        incidents.save({ key, version, text } as { key: string; version: number })
      assert.equal(await save(2, 'never saved before'), false)
      assert.equal(await save(1, 'first'), true)
      assert.equal(await save(1, 'again'), false)
      assert.equal(await save(2, 'second'), true)
      assert.equal(await save(1, 'other', 'slow:a'), true)
      const texts = (await incidents.load()).map(({ text }) => text as string)
      assert.deepEqual(texts.toSorted(), ['other', 'second'])
      assert.deepEqual(
        (await incidents.load('failed:a')).map(({ text }) => text),
        ['second'],
      )
      assert.equal(await incidents.remove('failed:a', 1), false)
      assert.equal(await incidents.remove('failed:a', 2), true)
      assert.deepEqual(await incidents.load('failed:a'), [])
    }),
  ]
  const all = [...cases, ...queryCases(simple, queried)]
  return durable
    ? [...all, ...durableCases(open, simple), ...requestCases(open, simple), ...renameCases(simple)]
    : all
}

function durableCases(
  open: StoreContractOptions['open'],
  simple: (name: string, work: (store: Store) => Promise<void>) => Case,
): Case[] {
  const states = async (store: Store) => (await store.runs()).map(({ state }) => state)
  const jobsOf = (store: Store): JobStore => {
    assert.ok(store.jobs, 'a durable store knows jobs')
    return store.jobs
  }
  return [
    simple('a run is kept from its beginning, and ends once', async (store) => {
      const run = fakeRun({ fence: 5 })
      await store.begin?.(run)
      assert.deepEqual(await states(store), ['running'])
      assert.equal((await store.runs({ state: 'running' }))[0]?.endedAt, undefined)
      const end = { ...run, state: 'succeeded', outcome: 'succeeded', endedAt: new Date() } as typeof run
      await store.record(end)
      await store.record({ ...end, state: 'failed', outcome: 'failed' } as typeof run)
      assert.deepEqual(await states(store), ['succeeded'])
    }),
    simple('what a handler has said before its process died is kept', async (store) => {
      const run = fakeRun({ fence: 5 })
      await store.begin?.(run)
      const line: LogLine = { at: new Date(1_790_000_000_000), level: 'info', message: 'half of it' }
      const progress = { fraction: 0.5, at: new Date(1_790_000_000_001) }
      await store.update?.({
        ...run,
        facts: { ...run.facts, progress, logLines: 1 },
        logLines: [line],
      } as Run)
      assert.deepEqual((await store.runs())[0]?.progress, progress)
      assert.deepEqual(await store.logs?.(run.id), [line])
      await store.record(fakeRun({ ...ends(run), outcome: 'abandoned', fence: 5 }))
      const [record] = await store.runs()
      assert.equal(record?.state, 'abandoned')
      assert.deepEqual(record?.progress, progress)
      assert.deepEqual(await store.logs?.(run.id), [line])
    }),
    simple('a run that was abandoned cannot succeed any more', async (store) => {
      const run = fakeRun({ fence: 5 })
      await store.begin?.(run)
      await store.record(fakeRun({ ...ends(run), outcome: 'abandoned', fence: 5 }))
      await store.record(fakeRun({ ...ends(run), outcome: 'succeeded', fence: 5 }))
      const [record] = await store.runs()
      assert.equal(record?.state, 'abandoned')
      assert.equal(record?.attempt, 1)
      assert.deepEqual(record?.startedAt, run.startedAt)
    }),
    simple('a success under a fence that was overtaken is not kept', async (store) => {
      const at = Date.now()
      await store.begin?.(fakeRun({ at, fence: 9, restarts: 1 }))
      await store.record(fakeRun({ at, fence: 8, restarts: 0, outcome: 'succeeded' }))
      assert.deepEqual(await states(store), ['running'])
    }),
    simple('a tick that did not run has one record in a fleet', async (store) => {
      const at = Date.now()
      for (const instance of ['a', 'b', 'c']) {
        await store.record(fakeRun({ at, outcome: 'skipped', reason: 'paused', instance }))
      }
      assert.deepEqual(await states(store), ['skipped'])
    }),
    simple('knows up to where each job is decided', async (store) => {
      const jobs = jobsOf(store)
      const enroll = async (digest: string, now: number, name = 'a') =>
        (await jobs.enroll([{ name, digest, formerly: undefined, paused: undefined }], now))[0]?.decided
      assert.equal(await enroll('x', 1000), undefined)
      assert.equal(await enroll('x', 2000), 1000)
      jobs.decided('a', 3000)
      jobs.decided('a', 2500)
      assert.equal(await enroll('x', 4000), 3000)
      assert.equal(await enroll('x', 4000, 'b'), undefined)
      assert.equal(await enroll('y', 5000), undefined, 'a changed schedule starts afresh')
      assert.equal(await enroll('y', 6000), 5000)
    }),
    simple('lowers what a clock that was ahead has decided', async (store) => {
      const jobs = jobsOf(store)
      const day = 86_400_000
      const enroll = async (now: number) =>
        (await jobs.enroll([{ name: 'a', digest: 'x', formerly: undefined, paused: undefined }], now))[0]
          ?.decided
      await enroll(day)
      jobs.decided('a', 365 * day)
      await enroll(2 * day)
      assert.equal(await enroll(2 * day), 2 * day)
      jobs.decided('a', 2 * day + 30_000)
      assert.equal(await enroll(2 * day), 2 * day + 30_000, 'clocks of a fleet differ by seconds')
    }),
    {
      name: 'all of it is there when it is opened again',
      run: async () => {
        const first = await open('again')
        await jobsOf(first.store).enroll(
          [{ name: 'a', digest: 'x', formerly: undefined, paused: undefined }],
          1000,
        )
        jobsOf(first.store).decided('a', 2000)
        await first.store.record(fakeRun({ outcome: 'succeeded' }))
        await first.store.incidents?.save({ key: 'k', version: 1 })
        await first.close()
        const second = await open('again')
        try {
          assert.deepEqual(await states(second.store), ['succeeded'])
          const enrolled = await second.store.jobs?.enroll(
            [{ name: 'a', digest: 'x', formerly: undefined, paused: undefined }],
            3000,
          )
          assert.equal(enrolled?.[0]?.decided, 2000)
          assert.equal((await second.store.incidents?.load())?.length, 1)
        } finally {
          await second.close()
        }
      },
    },
  ]
}

function ends({ id, tick }: { id: string; tick: { scheduledAt: Date } }): { id: string; at: Date } {
  return { id, at: tick.scheduledAt }
}
