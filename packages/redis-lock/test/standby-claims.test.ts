import { setImmediate as turn } from 'node:timers/promises'
import { systemClock } from '@escapement/core'
import { expect, test } from 'vitest'
import type { ClaimResult } from '../src/claim/quorum-claims.ts'
import { StandbyClaims } from '../src/claim/standby-claims.ts'
import { Keys } from '../src/keys.ts'
import type { Nodes } from '../src/nodes/nodes.ts'
import { RunObserver } from '../src/nodes/run-observer.ts'

const keys = new Keys('standby', 1)
const AT = 1_800_000_000_000
const subject = (i: number) => keys.tick(`job-${i}`, AT)
const granted: ClaimResult = { kind: 'granted', start: 1, fence: 1, sent: { monotonic: 0, wall: 0 } }
const NOBODY = new Set<string>()

/** StandbyClaims beside a Redis that knows these records. */
function standbyClaims(records: Record<string, string> = {}) {
  const reads: number[] = []
  const node = {
    async mget(asked: string[]) {
      reads.push(asked.length)
      return asked.map((key) => records[key] ?? null)
    },
  }
  const nodes = { any: () => node } as unknown as Nodes
  return { made: new StandbyClaims(nodes, new RunObserver(keys, 1000), systemClock), reads, records }
}

/** Votes that wait to be told how they end. */
function quorumClaims() {
  const open: ((result: ClaimResult) => void)[] = []
  return { open, vote: () => new Promise<ClaimResult>((resolve) => open.push(resolve)) }
}

async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

test('what another has is not voted on; what is our own is', async () => {
  const { made } = standbyClaims({
    [subject(1).key]: '1|web-2/b.7|5|run',
    [subject(2).key]: '1|web-1/a.3|5|run',
  })
  const { open, vote } = quorumClaims()
  const own = new Set(['web-1/a.3'])
  expect(await made.decide(subject(1), own, Infinity, vote)).toEqual({ kind: 'taken', by: 'web-2/b.7' })
  expect(open.length).toBe(0)
  const result = made.decide(subject(2), own, Infinity, vote)
  await turns()
  open[0]?.(granted)
  expect(await result).toBe(granted)
})

test('a few are voted on at a time, the others look again when it is their turn', async () => {
  const { made, reads, records } = standbyClaims()
  const { open, vote } = quorumClaims()
  const results = Array.from({ length: 100 }, (_, i) => made.decide(subject(i), NOBODY, Infinity, vote))
  await turns()
  expect([open.length, reads]).toEqual([64, [100]])
  // Meanwhile its owner has come.
  records[subject(64).key] = '1|web-2/b.7|5|done'
  for (const resolve of open.splice(0)) resolve(granted)
  await turns()
  expect(await results[64]).toEqual({ kind: 'taken', by: 'web-2/b.7' })
  expect([open.length, reads]).toEqual([35, [100, 36]])
  for (const resolve of open.splice(0)) resolve(granted)
  await Promise.all(results)
  // Nothing is left behind.
  const more = Array.from({ length: 65 }, (_, i) => made.decide(subject(200 + i), NOBODY, Infinity, vote))
  await turns()
  expect(open.length).toBe(64)
  for (const resolve of open.splice(0)) resolve(granted)
  await turns()
  open[0]?.(granted)
  await Promise.all(more)
})

test('what has waited too long is not voted on', async () => {
  const { made } = standbyClaims()
  const { open, vote } = quorumClaims()
  const end = systemClock.monotonic()
  const results = Array.from({ length: 70 }, (_, i) => made.decide(subject(i), NOBODY, end, vote))
  await turns()
  for (const resolve of open.splice(0)) resolve({ kind: 'contended' })
  const kinds = (await Promise.all(results)).map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'down').length).toBe(6)
  expect(await results[69]).toMatchObject({ asked: false, error: { code: 'ERR_ESCAPEMENT_UNAVAILABLE' } })
})

test('what a look has found counts once, and of its tick only', async () => {
  const { made, reads } = standbyClaims({ [subject(1).key]: '1|web-2/b.7|5|run' })
  expect([made.looked(subject(1)), made.looked(subject(1)), made.looked(subject(2))]).toEqual([
    false,
    false,
    false,
  ])
  await turns()
  expect([made.looked(subject(1)), made.looked(subject(2)), reads]).toEqual([true, true, [2]])
  expect(made.take('job-1', AT + 1000)).toBeUndefined()
  made.looked(subject(1))
  await turns()
  expect(made.take('job-1', AT)).toBe('web-2/b.7')
  expect([made.take('job-1', AT), made.take('job-2', AT)]).toEqual([undefined, undefined])
})
