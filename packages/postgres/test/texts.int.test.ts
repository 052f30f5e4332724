// Texts from outside that PostgreSQL cannot keep, or not at their length.
import { every, manual } from '@escapement/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Fleet } from './fleet.ts'
import { type Server, startServer } from './server.ts'

let server: Server
let fleet: Fleet | undefined
beforeAll(async () => {
  server = await startServer()
})
afterEach(async () => {
  await fleet?.stop()
  fleet = undefined
})
afterAll(() => server?.close())

const TEXTS = {
  nul: 'a\0b',
  escaped: 'a\\u0000b\\ud800',
  high: 'half \ud83d of a pair',
  low: '\udc00',
  reversed: '\udc00\ud83d',
  noncharacter: '\uffff\ufffe',
  emoji: '💥'.repeat(2000),
  long: 'x'.repeat(10_000_000),
  longNul: '\0'.repeat(1_000_000),
}

test('errors with texts that cannot be kept as they are harm no other record, and the history can be read', async () => {
  const all = new Fleet(server, 'texts', {
    jobs(scheduler) {
      for (const [name, text] of Object.entries(TEXTS))
        scheduler.job(name, manual(), () => {
          throw Object.assign(new Error(text), { code: text, name: text, stack: text })
        })
      scheduler.job('healthy', manual(), () => {})
    },
  })
  fleet = all
  const scheduler = await all.add()
  const names = [...Object.keys(TEXTS), 'healthy']
  await Promise.all(names.map((name) => scheduler.run(name, undefined, { wait: true })))
  const history = await scheduler.history()
  expect(history.map(({ job }) => job).toSorted()).toEqual(names.toSorted())
  for (const { error } of history) expect(error?.message?.length ?? 0).toBeLessThan(5000)
  expect(history.find(({ job }) => job === 'healthy')?.state).toBe('succeeded')
  expect(all.lines.filter((line) => /^(store|postgres) /.test(line))).toEqual([])
})

test('a mutex may have any name, and no name harms the claims of its moment', async () => {
  const all = new Fleet(server, 'names', {
    jobs(scheduler, { begun }) {
      scheduler.job('a', every('1s'), (run) => void begun.push(run.key))
      scheduler.job('asked', manual(), () => {})
    },
  })
  fleet = all
  const [one, other] = [await all.add(), await all.add()]
  const names = [...Object.values(TEXTS), 'x'.repeat(5000), `x`.repeat(5001), 'plain', "it's"]
  let inside = 0
  await Promise.all(
    names.map((name) =>
      one.exclusive(name, async () => {
        inside++
        // All of them at once: no two names are one.
        await expect.poll(() => inside, { timeout: 5000 }).toBe(names.length)
        const taken = other.exclusive(name, () => 'twice', AbortSignal.timeout(100))
        await expect(taken).rejects.toThrow()
      }),
    ),
  )
  expect((await one.run('asked', undefined, { wait: true })).outcome).toBe('succeeded')
  await all.works(['a'])
  expect(all.settled.filter(({ reason }) => reason === 'claim-unavailable')).toEqual([])
  expect(all.lines).toEqual([])
})
