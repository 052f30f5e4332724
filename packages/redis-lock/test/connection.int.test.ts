import { Cluster, Redis } from 'ioredis'
import { afterEach, describe, expect, test } from 'vitest'
import { type ClaimResult, QuorumClaims } from '../src/claim/quorum-claims.ts'
import type { RedisLike } from '../src/index.ts'
import { Keys } from '../src/keys.ts'
import type { Node } from '../src/nodes/node.ts'
import { parseOptions, type RedisLockOptions } from '../src/options.ts'
import { openNodes, until } from './open-nodes.ts'
import { KeptProxy } from './proxy.ts'
import { freePort, RedisServer } from './redis-server.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const fn of undo.splice(0).reverse()) await fn()
})

async function redis(args: string[] = []): Promise<RedisServer> {
  const server = await RedisServer.start(args)
  undo.push(() => server.stop())
  return server
}

async function proxy(target: RedisServer): Promise<KeptProxy> {
  const made = await KeptProxy.start(target.port)
  undo.push(() => made.stop())
  return made
}

function given<T extends Redis | Cluster>(client: T): RedisLike {
  undo.push(() => client.disconnect())
  return client as unknown as RedisLike
}

/** Says so to a server, outside of what is tested. */
async function say(port: number, ...[name, ...args]: [string, ...string[]]): Promise<unknown> {
  const client = new Redis(port)
  try {
    return await client.call(name, ...args)
  } finally {
    client.disconnect()
  }
}

let voters = 0
async function open(options: Partial<RedisLockOptions>, shards = 1) {
  const settings = parseOptions({ clients: [], timeout: 200, lease: 1000, ...options } as RedisLockOptions)
  const keys = new Keys('connection', shards)
  const nodes = await openNodes(settings, keys)
  undo.push(() => nodes.close())
  const quorumClaims = new QuorumClaims(nodes, keys, settings, () => ({
    monotonic: performance.now(),
    wall: Date.now(),
  }))
  const voter = voters++
  let tokens = 0
  const vote = (at: number, job = 'job'): Promise<ClaimResult> =>
    quorumClaims.decide({
      subject: keys.tick(job, at),
      token: `voter-${voter}/1.${tokens++}`,
      start: 1,
      leased: false,
      state: 'run',
    })
  return { nodes, node: nodes.all[0] as Node, vote }
}

/** A user as hosted Redis gives it to its customers. */
async function restricted(port: number): Promise<void> {
  await say(port, 'ACL', 'SETUSER', 'app', 'on', '>pass', '~*', '&*', '+@all', '-@dangerous')
}

/** A copy of the master that knows nothing of what is claimed from now on. */
async function staleCopy(master: RedisServer): Promise<RedisServer> {
  const copy = await redis()
  await say(copy.port, 'REPLICAOF', '127.0.0.1', String(master.port))
  await until('the replica has its data', async () =>
    String(await say(copy.port, 'INFO', 'replication')).includes('master_link_status:up'),
  )
  await say(copy.port, 'REPLICAOF', 'NO', 'ONE')
  return copy
}

describe.each([
  ['all rights', async (_: number) => '', ''],
  ['no dangerous commands', restricted, 'app:pass@'],
])('a user with %s', (_, prepare, user) => {
  test('behind a proxy that keeps connections over a failover, no tick is given twice', async () => {
    const master = await redis()
    await prepare(master.port)
    const link = await proxy(master)
    const { node, vote } = await open({ clients: [`redis://${user}127.0.0.1:${link.port}`] })
    const at = Date.now()
    await until('a tick is given', async () => (await vote(Date.now(), 'before')).kind === 'granted')
    const copy = await staleCopy(master)
    await prepare(copy.port)
    if (user)
      await say(copy.port, 'ACL', 'SETUSER', 'default', 'on', 'nopass', '~*', '&*', '+@all', '-@dangerous')
    const tick = Date.now()
    expect((await vote(tick)).kind).toBe('granted')
    link.switchTo(copy.port)
    const kinds: string[] = []
    await until('the new server is known', async () => {
      kinds.push((await vote(tick)).kind)
      return kinds.at(-1) === 'abstain'
    })
    expect(kinds).not.toContain('granted')
    expect(node.age(0)).toBeLessThan(Date.now() - at + 1000)
    await until('ticks are given again', async () => (await vote(Date.now(), 'after')).kind === 'granted')
  })

  test('a proxy that leads back to the first server, no tick is given twice', async () => {
    const [first, second] = [await redis(), await redis()]
    await Promise.all([prepare(first.port), prepare(second.port)])
    const link = await proxy(first)
    const { node, vote } = await open({ clients: [`redis://${user}127.0.0.1:${link.port}`] })
    await until('a tick is given', async () => (await vote(Date.now(), 'one')).kind === 'granted')
    const id = node.server(0)
    link.switchTo(second.port)
    await until('the second is known', async () => (await vote(Date.now(), 'two')) && node.server(0) !== id)
    let tick = 0
    await until('it gives a tick', async () => {
      tick = Date.now()
      return (await vote(tick)).kind === 'granted'
    })
    link.switchTo(first.port)
    const kinds: string[] = []
    await until('the first is known', async () => {
      kinds.push((await vote(tick)).kind)
      return kinds.at(-1) === 'abstain'
    })
    expect(kinds).not.toContain('granted')
    await until('ticks are given again', async () => (await vote(Date.now(), 'four')).kind === 'granted')
  })

  test('a restarted server is another one', async () => {
    const server = await redis()
    await prepare(server.port)
    const { vote } = await open({ clients: [`redis://${user}127.0.0.1:${server.port}`] })
    await until('a tick is given', async () => (await vote(Date.now(), 'before')).kind === 'granted')
    const tick = Date.now()
    expect((await vote(tick)).kind).toBe('granted')
    await server.kill()
    await server.up()
    await prepare(server.port)
    const kinds: string[] = []
    await until('it is known', async () => {
      kinds.push((await vote(tick)).kind)
      return kinds.at(-1) === 'abstain'
    })
    expect(kinds).not.toContain('granted')
  })

  test('instances agree on the server', async () => {
    const server = await redis()
    await prepare(server.port)
    const clients = [`redis://${user}127.0.0.1:${server.port}`]
    const all = await Promise.all(Array.from({ length: 4 }, () => open({ clients })))
    await until('each of them is given ticks', async () => {
      const results = await Promise.all(all.map(({ vote }, i) => vote(Date.now(), `job-${i}`)))
      return results.every(({ kind }) => kind === 'granted')
    })
    await Promise.all(all.map(({ node }) => node.greet()))
    const ids = all.map(({ node }) => node.server(0))
    expect(new Set(ids).size).toBe(1)
    for (let round = 0; round < 3; round++) {
      const tick = Date.now()
      const results = await Promise.all(all.map(({ vote }) => vote(tick, `one-${round}`)))
      expect(results.map(({ kind }) => kind).sort()).toEqual(['granted', 'taken', 'taken', 'taken'])
    }
  })
})

test("a dead connection of the user's client is replaced", async () => {
  const server = await redis()
  const link = await proxy(server)
  const client = new Redis(link.port)
  const { node, vote } = await open({ clients: [given(client)], guard: false })
  expect((await vote(Date.now())).kind).toBe('granted')
  link.kill()
  // What the app waits for is sent again on the new connection.
  const own = client.set('own', 'kept')
  expect((await vote(Date.now())).kind).toBe('down')
  await until('it can be used again', () => node.usable)
  expect((await vote(Date.now())).kind).toBe('granted')
  expect(await own).toBe('OK')
  expect(link.connections).toBe(2)
})

test('a replica does not make the client of the app connect time and again', async () => {
  const master = await redis()
  const replica = await redis(['--replicaof', '127.0.0.1', String(master.port)])
  const link = await proxy(replica)
  const began = performance.now()
  const { node } = await open({ clients: [given(new Redis(link.port))] })
  await until('it has connected five times', () => link.connections >= 5)
  expect(node.usable).toBe(false)
  expect(node.trouble.cause?.what).toContain('it is a replica')
  // The pauses grow: four come in four seconds at most.
  expect(performance.now() - began).toBeGreaterThan(4000)
  await say(replica.port, 'REPLICAOF', 'NO', 'ONE')
  await until('it can be used', () => node.usable)
})

test('a hung master under Sentinel: the fleet follows the promoted replica', async () => {
  const master = await redis()
  const replica = await redis(['--replicaof', '127.0.0.1', String(master.port)])
  const sentinel = await freePort()
  await startSentinel(sentinel, master.port)
  const client = new Redis({ sentinels: [{ host: '127.0.0.1', port: sentinel }], name: 'mine' })
  const { node, vote } = await open({ clients: [given(client)], guard: false })
  await until('a tick is given', async () => (await vote(Date.now())).kind === 'granted')
  await until('Sentinel knows the replica', async () =>
    String(await say(sentinel, 'SENTINEL', 'REPLICAS', 'mine')).includes(String(replica.port)),
  )
  master.hang()
  await until('it cannot be used', () => !node.usable && vote(Date.now()).then(() => true))
  await until('it can be used again', () => node.usable)
  expect((await vote(Date.now())).kind).toBe('granted')
  expect(String(await say(replica.port, 'ROLE'))).toContain('master')
})

async function startSentinel(port: number, master: number): Promise<void> {
  const { mkdtempSync, writeFileSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const { spawn } = await import('node:child_process')
  const dir = mkdtempSync(`${tmpdir()}/escapement-sentinel-`)
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor mine 127.0.0.1 ${master} 1`,
    'sentinel down-after-milliseconds mine 500',
    'sentinel failover-timeout mine 3000',
  ]
  writeFileSync(`${dir}/sentinel.conf`, lines.join('\n'))
  const child = spawn(process.env.REDIS_SERVER ?? 'redis-server', [`${dir}/sentinel.conf`, '--sentinel'], {
    stdio: 'ignore',
  })
  undo.push(() => child.kill('SIGKILL'))
  await until('Sentinel answers', () => say(port, 'PING').catch(() => false))
}

describe('a Cluster of three masters', () => {
  async function cluster(replicas = 0) {
    const args = [
      ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--cluster-node-timeout', '1000'],
      ...['--cluster-require-full-coverage', 'no', '--cluster-replica-validity-factor', '0'],
    ]
    const all = await Promise.all(Array.from({ length: 3 + replicas }, () => redis(args)))
    const [first] = all as [RedisServer]
    for (const [i, server] of all.entries()) {
      if (i < 3) {
        const [from, to] = [Math.ceil((i * 16384) / 3), Math.ceil(((i + 1) * 16384) / 3) - 1]
        await say(server.port, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
      }
      await say(server.port, 'CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
      if (i > 0) await say(server.port, 'CLUSTER', 'MEET', '127.0.0.1', String(first.port))
    }
    for (const server of all) {
      await until('the Cluster is whole', async () => {
        const info = String(await say(server.port, 'CLUSTER', 'INFO'))
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${all.length}`)
      })
    }
    for (const [i, replica] of all.slice(3).entries()) {
      const id = String(await say((all[i] as RedisServer).port, 'CLUSTER', 'MYID'))
      await until('it is a replica', () => say(replica.port, 'CLUSTER', 'REPLICATE', id).catch(() => false))
      await until('it has the data', async () =>
        String(await say(replica.port, 'INFO', 'replication')).includes('master_link_status:up'),
      )
    }
    const client = new Cluster([
      { host: '127.0.0.1', port: first.port },
      { host: '127.0.0.1', port: (all[1] as RedisServer).port },
    ])
    const opened = await open({ clients: [given(client)], guard: false }, 16)
    await until('all can be used', () => opened.node.usable)
    return { ...opened, all }
  }

  const parts = (node: Node) => Array.from({ length: 16 }, (_, i) => node.answers(i))

  test('one hangs: jobs of the others run on, and all run when it is back', async () => {
    const { all, node, nodes, vote } = await cluster()
    all[2]?.hang()
    const jobs = Array.from({ length: 30 }, (_, i) => `job-${i}`)
    const granted = async () => {
      const at = Date.now()
      const results = await Promise.all(jobs.map((job) => vote(at, job)))
      return results.filter(({ kind }) => kind === 'granted').length
    }
    await granted()
    expect(parts(node)).toContain(true)
    expect(parts(node)).toContain(false)
    const some = await granted()
    expect(some).toBeGreaterThan(10)
    expect(some).toBeLessThan(30)
    expect(nodes.trouble).toContain('does not answer')
    all[2]?.resume()
    await until('all can be used', () => node.usable)
    expect(await granted()).toBe(30)
  })

  test('one hangs for good, and its replica takes its place', async () => {
    const { all, node } = await cluster(1)
    all[0]?.hang()
    await until('it is noticed', async () => {
      await node.greet()
      return !node.usable
    })
    await until('all can be used', () => node.usable)
  })
})

test('two clients that lead to one server count once', async () => {
  const server = await redis()
  const clients = [server.url, given(new Redis(server.port, { db: 3 }))]
  const { nodes, vote } = await open({ clients, guard: false })
  await until('both are greeted', () => nodes.all.every(({ usable }) => usable))
  expect(nodes.down).toBe(true)
  expect(nodes.trouble).toContain('lead to one server')
  expect((await vote(Date.now())).kind).not.toBe('granted')
})
