import assert from 'node:assert/strict'
import type { RequestStore, RunRequest, Store } from '@escapement/core'
import type { Case } from './case.ts'
import { fakeRun } from './fake-run.ts'
import type { StoreContractOptions } from './store-contract-options.ts'

const DAY_MS = 86_400_000

function request(given: Partial<RunRequest> = {}): RunRequest {
  const { id } = fakeRun()
  const now = Date.now()
  return {
    id,
    job: 'a',
    at: now,
    expires: now + DAY_MS,
    data: undefined,
    key: undefined,
    asked: undefined,
    ...given,
  }
}

function requestsOf({ requests }: Store): RequestStore {
  assert.ok(requests?.durable, 'a durable store keeps requests')
  return requests
}

/** Requests for runs that a store keeps. */
export function requestCases(
  open: StoreContractOptions['open'],
  simple: (name: string, work: (store: Store) => Promise<void>) => Case,
): Case[] {
  const ids = async (store: Store, room: (job: string) => number = () => 10, now = Date.now() + 1) =>
    (await requestsOf(store).due(now, room)).map(({ id }) => id)
  return [
    simple('a request waits with what it was asked with, and its run is on record', async (store) => {
      const data = { when: new Date(5), map: new Map([['ä', [1, null]]]), text: "it's \\ \u0000 odd" }
      const one = request({ data, asked: { by: 'ann', reason: 'to see' } })
      assert.equal(await requestsOf(store).accept(one, 10), one.id)
      const [due] = await requestsOf(store).due(Date.now() + 1, () => 10)
      assert.deepEqual(due?.data, data)
      assert.deepEqual([due?.id, due?.job, due?.at, due?.expires], [one.id, 'a', one.at, one.expires])
      assert.deepEqual(due?.asked, { by: 'ann', reason: 'to see' })
      const [record] = await store.runs({ id: one.id })
      assert.deepEqual([record?.state, record?.cause, record?.outcome], ['due', 'manual', undefined])
      assert.deepEqual(record?.asked, { by: 'ann', reason: 'to see' })
    }),
    simple('one that begins, ends or is withdrawn waits no more', async (store) => {
      const all = [request(), request(), request(), request()]
      for (const one of all) await requestsOf(store).accept(one, 10)
      assert.deepEqual(
        await ids(store),
        all.map(({ id }) => id),
      )
      const [first, second, third, fourth] = all.map(({ id }) => id) as [string, string, string, string]
      await store.begin?.(fakeRun({ id: first, job: 'a', cause: 'manual', fence: 7 }))
      await store.record(fakeRun({ id: second, job: 'a', cause: 'manual', fence: 8, outcome: 'succeeded' }))
      assert.equal(await requestsOf(store).withdraw(third), true)
      assert.equal(await requestsOf(store).withdraw(third), false)
      assert.equal(await requestsOf(store).withdraw(first), false)
      assert.deepEqual(await ids(store), [fourth])
      assert.deepEqual(await requestsOf(store).waiting?.([first, second, third, fourth, 'none']), [fourth])
      await store.record(
        fakeRun({
          id: first,
          job: 'a',
          cause: 'manual',
          fence: 7,
          outcome: 'failed',
          errors: [new Error('x')],
        }),
      )
      await store.record(fakeRun({ id: third, job: 'a', cause: 'manual', outcome: 'cancelled' }))
      const states = await Promise.all(
        [first, second, third].map(async (id) => (await store.runs({ id }))[0]?.state),
      )
      assert.deepEqual(states, ['failed', 'succeeded', 'cancelled'])
    }),
    simple('one that is taken out to run begins and ends as any other', async (store) => {
      const one = request()
      await requestsOf(store).accept(one, 10)
      assert.equal(await requestsOf(store).withdraw(one.id), true)
      assert.deepEqual(await ids(store), [])
      const about = { id: one.id, job: 'a', cause: 'manual' } as const
      await store.begin?.(fakeRun(about))
      await store.record(fakeRun({ ...about, outcome: 'succeeded' }))
      assert.equal((await store.runs({ id: one.id }))[0]?.state, 'succeeded')
    }),
    simple(
      'they come when they are due, the oldest first, as far as there is room, and when they are over',
      async (store) => {
        const now = Date.now()
        const later = request({ at: now + 5_000 })
        const over = request({ at: now - 10, expires: now - 5 })
        const all = [request({ at: now }), request({ at: now }), request({ at: now, job: 'b' })]
        for (const one of [later, over, ...all]) await requestsOf(store).accept(one, 10)
        assert.deepEqual(await ids(store, (job) => (job === 'a' ? 1 : 0), now + 1), [over.id, all[0]?.id])
        assert.deepEqual(await ids(store, () => 5, now + 5_000), [
          later.id,
          over.id,
          ...all.map(({ id }) => id),
        ])
      },
    ),
    simple(
      'the same key gives the same run, with other data it is refused, and a full queue refuses',
      async (store) => {
        const requests = requestsOf(store)
        const first = request({ key: 'k’1', data: { a: 1 } })
        assert.equal(await requests.accept(first, 2), first.id)
        assert.equal(await requests.accept(request({ key: 'k’1', data: { a: 1 } }), 2), first.id)
        await assert.rejects(async () => requests.accept(request({ key: 'k’1', data: { a: 2 } }), 2), {
          code: 'ERR_ESCAPEMENT_KEY_REUSED',
        })
        const other = request({ key: 'k’1', job: 'b' })
        assert.equal(await requests.accept(other, 2), other.id, 'keys are of a job')
        await requests.accept(request(), 2)
        await assert.rejects(async () => requests.accept(request(), 2), { code: 'ERR_ESCAPEMENT_QUEUE_FULL' })
        // Also when the run has ended since.
        await store.record(fakeRun({ id: first.id, job: 'a', cause: 'manual', outcome: 'succeeded' }))
        assert.equal(await requests.accept(request({ key: 'k’1', data: { a: 1 } }), 2), first.id)
      },
    ),
    simple('many askers with one key get one run', async (store) => {
      const asked = await Promise.all(
        Array.from({ length: 20 }, async () => requestsOf(store).accept(request({ key: 'one' }), 100)),
      )
      assert.equal(new Set(asked).size, 1)
      assert.equal((await ids(store)).length, 1)
    }),
    {
      name: 'requests are there when it is opened again',
      run: async () => {
        const first = await open('asked_again')
        const one = request({ data: [1], key: 'k' })
        await requestsOf(first.store).accept(one, 10)
        await first.close()
        const second = await open('asked_again')
        try {
          const [due] = await requestsOf(second.store).due(Date.now() + 1, () => 10)
          assert.deepEqual([due?.id, due?.data, due?.key], [one.id, [1], 'k'])
        } finally {
          await second.close()
        }
      },
    },
  ]
}
