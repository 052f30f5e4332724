import { expect, test } from 'vitest'
import { Keys } from '../src/keys.ts'
import type { Node } from '../src/nodes/node.ts'
import { RunObserver } from '../src/nodes/run-observer.ts'
import type { Greeting } from '../src/scripts/index.ts'

const LEASE = 3000
const keys = new Keys('ns', 1)
const { member, key } = keys.tick('report', 60_000)
const other = keys.tick('sync', 60_000)

/** A run whose lease was renewed on the Redis that is there. */
const held = (of = member) => ({ member: of, score: 1e9 })

/** One Redis, on which `a` holds the tick of a job at first; all that has been lost of it is collected. */
async function setup() {
  const records = new Map([
    [key, '1|a.1|7|run'],
    [other.key, '1|b.1|8|run'],
  ])
  const asked: string[][] = []
  const node = {
    mget: async (wanted: string[]) => {
      asked.push(wanted)
      return wanted.map((one) => records.get(one) ?? null)
    },
  } as unknown as Node
  const observer = new RunObserver(keys, LEASE)
  const greet = async (given: Partial<Greeting>) => {
    const greeting = {
      ahead: 0,
      id: 'x',
      now: 100_000,
      born: 1000,
      instances: ['a', 'b'],
      told: new Map(),
      stale: [],
      running: [],
      ...given,
    }
    const lost = observer.look(node, 0, greeting)
    await Promise.resolve()
    return [...lost]
  }
  await greet({ running: [held()] })
  return { greet, observer, node, asked, records }
}
const reborn = { born: 105_000, now: 105_100 }
const later = { born: 105_000, now: 105_000 + LEASE }

test('a run that ended is no more thought of', async () => {
  const { greet } = await setup()
  expect(await greet({ instances: ['b'] })).toEqual([])
  expect(await greet({ ...later, instances: ['b'] })).toEqual([])
})

test('a run that Redis has forgotten and whose instance does not come back is lost, told once', async () => {
  const { greet } = await setup()
  expect(await greet({ ...reborn, instances: ['b'] })).toEqual([])
  expect(await greet({ ...later, instances: ['b'] })).toEqual([[member, 'a']])
  expect(await greet({ ...later, instances: ['b'] })).toEqual([])
})

test('an instance that is back answers for its runs itself', async () => {
  const { greet } = await setup()
  expect(await greet(reborn)).toEqual([])
  expect(await greet(later)).toEqual([])
  expect(await greet({ ...later, instances: ['b'] })).toEqual([])
})

test('a run whose lease was renewed on the new Redis goes the usual way', async () => {
  const { greet } = await setup()
  await greet({ ...reborn, instances: ['b'] })
  await greet({ ...reborn, running: [held()], instances: ['b'] })
  expect(await greet({ ...later, stale: [{ member, score: later.now }], instances: ['b'] })).toEqual([])
})

test('Redis may forget again before it was trusted', async () => {
  const { greet } = await setup()
  await greet({ ...reborn, instances: ['b'] })
  expect(await greet({ born: 107_000, now: 108_000, instances: ['b'] })).toEqual([])
  expect(await greet({ born: 107_000, now: 107_000 + LEASE, instances: ['b'] })).toEqual([[member, 'a']])
})

test('who has a run is asked once', async () => {
  const { greet, asked } = await setup()
  await greet({ running: [held()] })
  await greet({ running: [held(), held(other.member)] })
  expect(asked).toEqual([[key], [other.key]])
})

test('a run seen between two greetings counts as well', async () => {
  const { greet, observer, node } = await setup()
  observer.saw(node, other, 'b.1')
  await greet({ ...reborn, instances: [] })
  expect(await greet({ ...later, instances: ['c'] })).toEqual([
    [member, 'a'],
    [other.member, 'b'],
  ])
})
