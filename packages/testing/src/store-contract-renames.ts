import assert from 'node:assert/strict'
import type { JobStore, Store } from '@escapement/core'
import type { Case } from './case.ts'
import { fakeRun } from './fake-run.ts'

type Simple = (name: string, work: (store: Store) => Promise<void>) => Case

/** What becomes of what is kept of a job that gets another name. */
export function renameCases(simple: Simple): Case[] {
  const enroll = async ({ jobs }: Store, name: string, formerly?: string, now = 5_000) => {
    assert.ok(jobs, 'a durable store knows jobs')
    const [state] = await (jobs as JobStore).enroll([{ name, formerly, digest: 'x', paused: undefined }], now)
    return state?.decided
  }
  const recordOne = async (store: Store, job: string, message: string) => {
    const run = fakeRun({ job, outcome: 'failed', errors: [new Error(message)] })
    await store.record(run)
    return run.id
  }
  const totals = async (store: Store, job?: string) => {
    const counted = await store.stats?.({ from: Date.now() - 3_600_000, ...(job !== undefined && { job }) })
    return (counted ?? []).reduce((sum, { outcomes }) => sum + (outcomes.failed ?? 0), 0)
  }
  return [
    simple('what was kept under the former name of a job is its own', async (store) => {
      await enroll(store, 'öld “name”', undefined, 1_000)
      store.jobs?.decided('öld “name”', 2_000)
      const ids = [
        await recordOne(store, 'öld “name”', 'First'),
        await recordOne(store, 'öld “name”', 'second'),
      ]
      assert.equal(
        await enroll(store, 'new', 'öld “name”'),
        2_000,
        'its ticks are decided up to where they were',
      )
      const of = async (query: Parameters<Store['runs']>[0]) => (await store.runs(query)).map(({ id }) => id)
      assert.deepEqual(await of({ job: 'new' }), ids.toReversed())
      assert.deepEqual(await of({ job: 'öld “name”' }), [])
      assert.deepEqual(await of({ text: 'NEW' }), ids.toReversed())
      assert.deepEqual(await of({ text: 'first' }), ids.slice(0, 1))
      assert.deepEqual(await of({ text: 'öld' }), [])
      assert.deepEqual(
        [await totals(store, 'new'), await totals(store, 'öld “name”'), await totals(store)],
        [2, 0, 2],
      )
    }),
    simple('what is written under the former name meanwhile is moved at the next start', async (store) => {
      await enroll(store, 'old')
      await recordOne(store, 'old', 'a')
      await enroll(store, 'new', 'old')
      await recordOne(store, 'new', 'b')
      // By an instance of the version before.
      await enroll(store, 'old')
      await recordOne(store, 'old', 'c')
      assert.equal(await enroll(store, 'new', 'old', 9_000), 5_000)
      assert.deepEqual(
        (await store.runs({ job: 'new' })).map(({ error }) => error?.message),
        ['c', 'b', 'a'],
      )
      assert.deepEqual(
        [await totals(store, 'new'), await totals(store, 'old'), await totals(store)],
        [3, 0, 3],
      )
    }),
    simple('another job that has the former name now keeps what is its own', async (store) => {
      await enroll(store, 'other')
      await recordOne(store, 'other', 'its own')
      const jobs = ['new', 'other'].map((name) => ({
        name,
        formerly: name === 'new' ? 'other' : undefined,
        digest: 'x',
        paused: undefined,
      }))
      await store.jobs?.enroll(jobs, 6_000)
      assert.equal((await store.runs({ job: 'other' })).length, 1)
      assert.deepEqual([await totals(store, 'new'), await totals(store, 'other')], [0, 1])
    }),
    simple('a request that waits under the former name is for the job of now', async (store) => {
      const { id } = fakeRun()
      const now = Date.now()
      const request = { id, at: now, expires: now + 60_000, data: [1], asked: undefined }
      await store.requests?.accept({ ...request, job: 'old', key: 'k' }, 10)
      await enroll(store, 'new', 'old')
      const due = (await store.requests?.due(now + 1, () => 1)) ?? []
      assert.deepEqual(
        due.map((one) => [one.id, one.job, one.data]),
        [[id, 'new', [1]]],
      )
      const again = { ...request, id: fakeRun().id, job: 'new', key: 'k' }
      assert.equal(await store.requests?.accept(again, 10), id, 'its key is known')
    }),
  ]
}
