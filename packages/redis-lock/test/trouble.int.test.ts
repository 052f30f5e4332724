import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { createScheduler, type Scheduler } from '@escapement/core'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterEach, expect, test } from 'vitest'
import { type RedisLike, redisLock } from '../src/index.ts'
import { until } from './open-nodes.ts'
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

async function say(port: number, ...[name, ...args]: [string, ...string[]]): Promise<unknown> {
  const client = new Redis(port)
  try {
    return await client.call(name, ...args)
  } finally {
    client.disconnect()
  }
}

/** A scheduler with a job that is due each second, and the lines it logs. */
async function watched(clients: (string | RedisLike)[], more: object = {}) {
  const lines: string[] = []
  const everything: string[] = []
  const write = (level: string) => (fields: object, message: string) => {
    everything.push(`${message} ${JSON.stringify(fields)}`)
    if (message.startsWith('redis-lock') && !message.includes('options that make'))
      lines.push(`${level} ${message}`)
  }
  const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  const lock = redisLock({ clients, lease: 1000, scan: 200, timeout: 200, guard: false, ...more })
  const one: Scheduler = createScheduler({ logger, plugins: [lock] })
  undo.push(() => one.stop({ grace: 0 }))
  one.job('a', '* * * * * *', () => {})
  const errors: unknown[] = []
  let ran = 0
  let ended = 0
  one.on('settled', (run) => {
    ended++
    if (run.outcome === 'succeeded') ran++
    if (run.error) errors.push(run.error)
  })
  await one.start()
  const runs = () => ran
  const health = () => one.health().degraded.join()
  /** Two ticks more, which may log nothing. */
  const later = async () => {
    const before = ended
    await until('two more ticks', () => ended >= before + 2)
  }
  return { one, lines, everything, errors, health, runs, later }
}

interface Case {
  name: string
  /** Makes trouble, and returns the way out of it. */
  args?: string[]
  begin(server: RedisServer): Promise<() => Promise<unknown>>
  says: RegExp[]
}

const acl = (port: number, ...rules: string[]) => say(port, 'ACL', 'SETUSER', 'default', ...rules)

const CASES: Case[] = [
  {
    name: 'lost at run time',
    async begin(server) {
      await server.kill()
      return () => server.up()
    },
    says: [/cannot be reached \(connect ECONNREFUSED/, /Check that it runs/],
  },
  {
    name: 'hung',
    async begin(server) {
      server.hang()
      return async () => server.resume()
    },
    says: [/it does not answer \(no answer within 200 ms\)/],
  },
  {
    name: 'a right that is missing',
    async begin({ port }) {
      const admin = new Redis(port)
      undo.push(() => admin.disconnect())
      await admin.call('ACL', 'SETUSER', 'default', '-zadd')
      return () => admin.call('ACL', 'SETUSER', 'default', '+zadd')
    },
    says: [/its user lacks a right \(/, /Grant the user what the README/],
  },
  {
    name: 'a right that only looks need',
    async begin({ port }) {
      await acl(port, '-mget')
      return () => acl(port, '+mget')
    },
    says: [/its user lacks a right \(/],
  },
  {
    name: 'a key pattern that is missing',
    async begin({ port }) {
      await acl(port, 'resetkeys', '~other:*')
      return () => acl(port, '~*')
    },
    says: [/its user lacks a right \(/],
  },
  {
    name: 'memory that is full',
    async begin({ port }) {
      await say(port, 'CONFIG', 'SET', 'maxmemory', '1')
      return () => say(port, 'CONFIG', 'SET', 'maxmemory', '0')
    },
    says: [/its memory is full \(OOM/, /maxmemory/],
  },
  {
    name: 'a replica',
    async begin({ port }) {
      await say(port, 'REPLICAOF', '127.0.0.1', '1')
      return () => say(port, 'REPLICAOF', 'NO', 'ONE')
    },
    says: [/it is a replica/, /Connect to the master/],
  },
  {
    name: 'too few replicas',
    async begin({ port }) {
      await say(port, 'CONFIG', 'SET', 'min-replicas-to-write', '1')
      return () => say(port, 'CONFIG', 'SET', 'min-replicas-to-write', '0')
    },
    says: [/too few replicas/, /min-replicas-to-write/],
  },
  {
    name: 'snapshots that fail',
    args: ['--enable-protected-configs', 'yes'],
    async begin({ port }) {
      const dir = mkdtempSync(`${tmpdir()}/escapement-gone-`)
      await say(port, 'CONFIG', 'SET', 'dir', dir)
      await say(port, 'CONFIG', 'SET', 'save', '3600 1')
      rmSync(dir, { recursive: true })
      await say(port, 'SET', 'some', 'data')
      await say(port, 'BGSAVE')
      return () => say(port, 'CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no')
    },
    says: [/it refuses writes because it cannot save its data \(MISCONF/, /its disk/],
  },
]

test.each(CASES)('$name: one line when it begins, one when it is over', async ({ args, begin, says }) => {
  const server = await redis(args)
  const { lines, errors, health, runs, later } = await watched([server.url])
  await until('a run', () => runs() > 0)
  expect(lines).toEqual([])
  expect(health()).toBe('')
  const end = await begin(server)
  await until('a line', () => lines.length > 0)
  await later()
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^error redis-lock: Redis redis:\/\/127.0.0.1:\d+ cannot be used: /)
  for (const pattern of says) expect(lines[0]).toMatch(pattern)
  expect(health()).toMatch(says[0] as RegExp)
  if (errors.length > 0) expect(errors.at(-1)).toMatchObject({ code: 'ERR_ESCAPEMENT_UNAVAILABLE' })
  await end()
  await until('a second line', () => lines.length > 1)
  const before = runs()
  await until('a run', () => runs() > before)
  expect(lines).toHaveLength(2)
  expect(lines[1]).toMatch(/^info redis-lock: Redis redis:\/\/127.0.0.1:\d+ can be used again, after \d+ s/)
  expect(health()).toBe('')
})

/** What is wrong from the start, by a URL or by the user's client. */
const AT_START: [name: string, config: string[], url: (port: number) => string, says: RegExp][] = [
  [
    'a wrong password',
    ['requirepass', 'right'],
    (port) => `redis://:wrongpass@127.0.0.1:${port}`,
    /it refuses the password \(WRONGPASS/,
  ],
  [
    'no password',
    ['requirepass', 'right'],
    (port) => `redis://127.0.0.1:${port}`,
    /it wants a password \(NOAUTH/,
  ],
  [
    'a database that is not there',
    [],
    (port) => `redis://127.0.0.1:${port}/99`,
    /it has no such database \(ERR DB index/,
  ],
  [
    'too many clients',
    ['maxclients', '1'],
    (port) => `redis://127.0.0.1:${port}`,
    /it has as many clients as it takes/,
  ],
  [
    'a host that is not known',
    [],
    () => 'redis://no-such-host.invalid:1',
    /its name is not known \(getaddrinfo/,
  ],
  ['TLS where there is none', [], (port) => `rediss://127.0.0.1:${port}`, /TLS/],
]
for (const [kind, make] of [
  ['a URL', (url: string): string | RedisLike => url],
  ['a client of ioredis 6', (url: string) => own(new Redis(url, { retryStrategy: () => 100 }))],
  ['a client of ioredis 5', (url: string) => own(new Redis5(url, { retryStrategy: () => 100 }))],
] as const) {
  test.each(AT_START)(`${kind} with %s: one line`, async (_, config, url, says) => {
    const server = await redis()
    const other = new Redis(server.port)
    undo.push(() => other.disconnect())
    if (config.length > 0) await other.config('SET', ...(config as [string, string]))
    const { lines, everything, errors, later } = await watched([make(url(server.port))])
    await until('a line', () => lines.length > 0)
    await later()
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(says)
    expect(everything.join()).not.toContain('wrongpass')
    expect(errors.map(String).join()).not.toContain('wrongpass')
  })
}

function own(client: Redis | Redis5): RedisLike {
  client.on('error', () => {})
  undo.push(() => client.disconnect())
  return client
}

test('a certificate that is not accepted: one line', async () => {
  const dir = mkdtempSync(`${tmpdir()}/escapement-tls-`)
  undo.push(() => rmSync(dir, { recursive: true }))
  const files = ['-keyout', `${dir}/key.pem`, '-out', `${dir}/cert.pem`]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost', ...files],
    { stdio: 'ignore' },
  )
  const port = await freePort()
  await redis([
    ...['--tls-port', String(port), '--tls-cert-file', `${dir}/cert.pem`, '--tls-key-file', `${dir}/key.pem`],
    ...['--tls-ca-cert-file', `${dir}/cert.pem`, '--tls-auth-clients', 'no'],
  ])
  const { lines, later } = await watched([`rediss://127.0.0.1:${port}`])
  await until('a line', () => lines.length > 0)
  await later()
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/its certificate is not accepted \(self-signed/)
  // Without TLS, where TLS is asked for.
  const plain = await watched([`redis://127.0.0.1:${port}`])
  await until('a line', () => plain.lines.length > 0)
  expect(plain.lines[0]).toMatch(/rediss:\/\/ is for a port with TLS/)
})

test.each([
  '-DENIED Redis is running in protected mode because it says so.',
  '-LOADING Redis is loading the dataset in memory',
  '-CLUSTERDOWN The cluster is down',
  '-BUSY Redis is busy running a script.',
  '-ERR unknown command `EVAL`',
])('a server that answers %s: one line', async (answer) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    if (answer.includes('protected')) socket.end(`${answer}\r\n`)
    else
      socket.on('data', (data) => socket.write(`${answer}\r\n`.repeat(String(data).split(/^\*/m).length - 1)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => server.close())
  const { port } = server.address() as { port: number }
  const { lines, later } = await watched([`redis://127.0.0.1:${port}`])
  await until('a line', () => lines.length > 0)
  await later()
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain(answer.slice(1))
  expect(lines[0]).not.toContain('does not answer')
})

test('a Redis that gives no lease yet says so, and when it does', async () => {
  const server = await redis()
  const { lines, health, runs } = await watched([server.url], { guard: true, lease: 4000 })
  await until('a line', () => lines.length > 0)
  expect(lines[0]).toMatch(/^warn redis-lock: .*no lease is given before 20\d\d-/)
  expect(health()).toContain('no lease is given before')
  await until('a run', () => runs() > 0)
  expect(lines).toHaveLength(2)
  expect(lines[1]).toMatch(/^info redis-lock: leases are given/)
  expect(health()).toBe('')
})

test('of several, each is reported, and that too few are left', async () => {
  const all = await Promise.all([redis(), redis(), redis()])
  const { lines, health, runs, later } = await watched(all.map(({ url }) => url))
  await until('a run', () => runs() > 0)
  await all[0]?.kill()
  await until('a line', () => lines.length > 0)
  await later()
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('The other 2')
  await all[1]?.kill()
  await until('two more lines', () => lines.length > 2)
  await later()
  expect(lines).toHaveLength(3)
  expect(lines.join()).toContain('only 1 of 3 Redis nodes can be used, and 2 are needed')
  expect(health()).toContain('only 1 of 3')
  await all[1]?.up()
  await until('two more lines', () => lines.length > 4)
  expect(lines.slice(3).join()).toContain('enough Redis nodes can be used again')
})

test('a client that the app closes too early is reported at once', async () => {
  const server = await redis()
  const client = new Redis(server.port)
  const { one, lines, runs } = await watched([client])
  await until('a run', () => runs() > 0)
  await client.quit()
  await until('a line', () => lines.length > 0)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/its client was closed by the app.*Close it after `await scheduler.stop\(\)`/)
  await one.stop()
  expect(lines).toHaveLength(1)
})

test('of a client that is closed after stop() nothing is reported', async () => {
  const server = await redis()
  const client = new Redis(server.port)
  const { one, lines, runs } = await watched([client])
  await until('a run', () => runs() > 0)
  await one.stop()
  const closed = new Promise((resolve) => client.once('end', resolve))
  await client.quit()
  await closed
  expect(lines).toEqual([])
})
