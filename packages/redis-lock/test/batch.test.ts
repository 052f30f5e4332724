import { expect, test } from 'vitest'
import { Batch, groupBy } from '../src/batch.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Lets the loop turn until something is sent; far fewer turns do. */
async function turns(sent: () => boolean): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (sent()) return
    await turn()
  }
  throw new Error('after 1,000 turns of the loop it is not sent')
}

test('what comes in a row goes together, also over turns of the loop', async () => {
  const sent: number[][] = []
  const batch = new Batch<number>((items) => sent.push(items))
  for (let i = 0; i < 3; i++) {
    batch.add(2 * i)
    batch.add(2 * i + 1)
    await turn()
  }
  await turns(() => sent.length > 0)
  expect(sent).toEqual([[0, 1, 2, 3, 4, 5]])
})

test('one that is alone goes at the next turn', async () => {
  const sent: number[][] = []
  const batch = new Batch<number>((items) => sent.push(items))
  batch.add(1)
  await turn()
  expect(sent).toEqual([[1]])
  batch.add(2)
  await turn()
  expect(sent).toEqual([[1], [2]])
})

test('a burst that does not end is sent all the same', async () => {
  let sent = 0
  const batch = new Batch<number>((items) => {
    sent += items.length
  })
  await turns(() => {
    if (sent === 0) batch.add(1)
    return sent > 0
  })
})

test('no more than fit into one call', async () => {
  const sent: number[] = []
  const batch = new Batch<number>((items) => sent.push(items.length), 64)
  for (let i = 0; i < 150; i++) batch.add(i)
  await turns(() => sent.length === 3)
  expect(sent).toEqual([64, 64, 22])
})

test('groups keep their order', () => {
  expect(groupBy([5, 2, 3, 4, 1], (n) => n % 2)).toEqual([
    [5, 3, 1],
    [2, 4],
  ])
})
