import { afterEach, expect, test } from 'vitest'
import { type ClaimResult, QuorumClaims } from '../src/claim/quorum-claims.ts'
import { Keys } from '../src/keys.ts'
import { parseOptions } from '../src/options.ts'
import { openNodes, until } from './open-nodes.ts'
import { RedisServer } from './redis-server.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const fn of undo.splice(0).reverse()) await fn()
})

const keys = new Keys('claims', 1)

async function voter(servers: RedisServer[]): Promise<QuorumClaims> {
  const settings = parseOptions({ clients: servers.map(({ url }) => url), guard: false, lease: 2000 })
  const nodes = await openNodes(settings, keys)
  undo.push(() => nodes.close())
  return new QuorumClaims(nodes, keys, settings, () => ({ monotonic: performance.now(), wall: Date.now() }))
}

async function fleet(nodes: number, voters: number) {
  const servers = await Promise.all(Array.from({ length: nodes }, () => RedisServer.start()))
  for (const server of servers) undo.push(() => server.stop())
  return { servers, claimers: await Promise.all(Array.from({ length: voters }, () => voter(servers))) }
}

let tokens = 0
const vote = (quorumClaims: QuorumClaims, job: string, at: number, who: number): Promise<ClaimResult> => {
  const token = `voter-${who}/1.${tokens++}`
  return quorumClaims.decide({ subject: keys.tick(job, at), token, start: 1, leased: false, state: 'run' })
}

/** Of one claimer for one tick. */
const MAX_ROUNDS = 500
const MAX_TICKS = 200

test.each([3, 5])(
  'split votes on %d nodes: one wins each tick, and no claimer learns so too early',
  async (count) => {
    const { claimers } = await fleet(count, 5)
    const now = Date.now()
    let rounds = 0
    let ticks = 0
    // There are to be collisions to be settled, not only clean wins.
    for (; ticks < 20 || (rounds === 5 * ticks && ticks < MAX_TICKS); ticks++) {
      const wins: number[] = []
      const contend = async (quorumClaims: QuorumClaims, who: number) => {
        for (let round = 0; round < MAX_ROUNDS; round++) {
          rounds++
          const { kind } = await vote(quorumClaims, `job-${ticks}`, now, who)
          if (kind === 'granted') wins.push(who)
          // The answer that it is taken must be right: another claimer has won, or is about to.
          if (kind === 'granted' || kind === 'taken') return
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
        }
        throw new Error(`after ${MAX_ROUNDS} rounds claimer ${who} has neither won nor lost`)
      }
      await Promise.all(claimers.map(contend))
      expect(wins).toHaveLength(1)
    }
    expect(rounds).toBeGreaterThan(5 * ticks)
  },
)

test('what did not win leaves nothing behind that would be in the way', async () => {
  const { servers, claimers } = await fleet(3, 2)
  const [one, two] = claimers as [QuorumClaims, QuorumClaims]
  const [first, second] = servers as [RedisServer, RedisServer]
  first.hang()
  second.hang()
  const now = Date.now()
  // It was asked, so what may have been granted is to be withdrawn.
  expect(await vote(one, 'a', now, 1)).toMatchObject({ kind: 'down', asked: true })
  first.resume()
  second.resume()
  const results: string[] = []
  await until('the second is granted', async () => {
    results.push((await vote(two, 'a', now, 2)).kind)
    return results.at(-1) === 'granted'
  })
  expect(results).not.toContain('taken')
})

test('while Redis is down nothing is sent, so there is nothing to withdraw: an outage costs no memory', async () => {
  const { servers, claimers } = await fleet(1, 1)
  await servers[0]?.kill()
  const results: ClaimResult[] = []
  while (results.length < 20) results.push(await vote(claimers[0] as QuorumClaims, 'a', Date.now(), 1))
  expect(results.at(-1)).toMatchObject({ kind: 'down', asked: false })
})
