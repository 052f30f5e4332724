import { setTimeout as sleep } from 'node:timers/promises'
import { at, type Run } from '@escapement/core'
import { liveRun } from '@escapement/testing'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { type Member, member, scanned, settled, startServer, undo } from './open-fleet.ts'
import { until } from './open-nodes.ts'
import { KeptProxy } from './proxy.ts'
import type { RedisServer } from './redis-server.ts'

const LEASE = 1000
const NEVER = '0 0 1 1 *'

async function command(server: RedisServer, ...args: [string, ...(string | number)[]]): Promise<unknown> {
  const redis = new Redis(server.port)
  const reply = await redis.call(...args)
  redis.disconnect()
  return reply
}

/** A server that gives leases already. Time is the subject: it does so when it has been up for longer than one. */
async function settledServer(): Promise<RedisServer> {
  const server = await startServer()
  await sleep(LEASE + 1100)
  return server
}

/** Runs of a job that last until they are let go, or are aborted. */
function gate(): { handler: (run: Run) => Promise<void>; open: () => void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const handler = (run: Run) =>
    Promise.race([
      opened,
      new Promise<void>((_, reject) => {
        run.signal.addEventListener('abort', () => reject(run.signal.reason))
      }),
    ])
  return { handler, open }
}

/** Long enough for a lease and for all who may say something of it. */
async function aftermath(of: Member): Promise<void> {
  of.scheduler.job('proof', '* * * * * *', () => {})
  await settled([of.scheduler], 1, ({ job, attempt }) => job.name === 'proof' && attempt > 0)
  // Time is the subject: only when all leases are over could anything be said.
  await sleep(3 * LEASE)
}

test.each(['record', 'rerun'] as const)(
  'Redis comes back from a snapshot that was taken in a run which has ended since: %s',
  async (onAbandoned) => {
    const server = await settledServer()
    const fleet = [0, 1].map(() => member({ clients: [server.url], onAbandoned }))
    const [one, two] = fleet as [Member, Member]
    const { handler, open } = gate()
    const soon = at(new Date(Date.now() + 700))
    for (const { scheduler } of fleet) scheduler.job('a', soon, handler)
    const began = settled([one.scheduler, two.scheduler], 1, ({ outcome }) => outcome === 'succeeded')
    await Promise.all(fleet.map(({ scheduler }) => scheduler.start()))
    await until('it runs', () => fleet.some(({ scheduler }) => scheduler.get('a').running > 0))
    await command(server, 'SAVE')
    open()
    await began
    await scanned(server, 2)
    await server.kill()
    await server.up()
    const again: Run[] = []
    for (const { scheduler } of fleet)
      scheduler.on('running', (run) => run.job.name === 'a' && again.push(run))
    await aftermath(one)
    expect([...one.words, ...two.words]).toEqual([])
    expect(again).toEqual([])
  },
)

test.each([0, 2000])(
  'a run ends, Redis comes back after %d ms from a snapshot of before it, and its instance leaves after that: no word of it',
  async (away) => {
    const server = await settledServer()
    const fleet = [0, 1].map(() => member({ clients: [server.url] }))
    const [one, two] = fleet as [Member, Member]
    const { handler, open } = gate()
    for (const { scheduler } of fleet) scheduler.job('a', NEVER, handler)
    await Promise.all(fleet.map(({ scheduler }) => scheduler.start()))
    await command(server, 'SAVE')
    const run = await liveRun(one.scheduler, 'a')
    await until('it runs', () => run.state === 'running')
    // The other one has seen it then, and does not see its end.
    await scanned(server, 2)
    open()
    await settled([one.scheduler], 1, ({ job }) => job.name === 'a')
    await server.kill()
    // Time is the subject.
    await sleep(away)
    await server.up()
    await scanned(server, 2)
    await one.scheduler.stop()
    await aftermath(two)
    expect([...one.words, ...two.words]).toEqual([])
  },
)

test('a snapshot in a run, and nobody is left who saw its end: no word, or a start above all that can have been', async () => {
  const server = await settledServer()
  const first = ['record', 'rerun'].map((job) => ({ job, ...gate() }))
  const one = member({ clients: [server.url] })
  for (const { job, handler } of first) {
    one.scheduler.job(
      job,
      at(new Date(Date.now() + 700)),
      { onAbandoned: job as 'record' | 'rerun' },
      handler,
    )
  }
  const ended = settled([one.scheduler], 2, ({ outcome }) => outcome === 'succeeded')
  await one.scheduler.start()
  await until('both run', () => first.every(({ job }) => one.scheduler.get(job).running > 0))
  await command(server, 'SAVE')
  for (const { open } of first) open()
  await ended
  await one.scheduler.stop()
  await server.kill()
  await server.up()
  const two = member({ clients: [server.url] })
  const started: Run[] = []
  for (const { job } of first) {
    two.scheduler.job(job, NEVER, { onAbandoned: job as 'record' | 'rerun' }, (run) => void started.push(run))
  }
  await two.scheduler.start()
  await until('it is run again', () => started.length > 0)
  await aftermath(two)
  expect(two.words).toEqual([])
  expect(started.map(({ job, restarts }) => [job.name, restarts > 2])).toEqual([['rerun', true]])
  const doubts = two.lines.filter(({ text }) => text.includes('is not known'))
  expect(doubts.map(({ fields }) => fields.job)).toEqual(['record'])
})

test('a run under way keeps its lease when Redis comes back from a snapshot', async () => {
  const server = await settledServer()
  const fleet = [0, 1].map(() => member({ clients: [server.url] }))
  const [one, two] = fleet as [Member, Member]
  const { handler, open } = gate()
  for (const { scheduler } of fleet) scheduler.job('a', NEVER, handler)
  await Promise.all(fleet.map(({ scheduler }) => scheduler.start()))
  const run = await liveRun(one.scheduler, 'a')
  await until('it runs', () => run.state === 'running')
  await command(server, 'SAVE')
  // Time is the subject: what the snapshot knows of the lease is over then.
  await sleep(1.5 * LEASE)
  await server.kill()
  await server.up()
  // Time is the subject: a lease that is not renewed would be over.
  await sleep(3 * LEASE)
  open()
  await until('it has ended', () => run.outcome)
  expect(run.outcome).toBe('succeeded')
  await aftermath(two)
  expect([...one.words, ...two.words]).toEqual([])
})

test('a replica that lags behind is promoted: what ended meanwhile is not told lost', async () => {
  const master = await settledServer()
  const replica = await startServer(['--replicaof', '127.0.0.1', String(master.port)])
  await until('the replica is in step', async () =>
    String(await command(replica, 'INFO', 'replication')).includes('master_link_status:up'),
  )
  const proxy = await KeptProxy.start(master.port)
  undo.push(() => proxy.stop())
  const fleet = [0, 1].map(() => member({ clients: [`redis://127.0.0.1:${proxy.port}`] }))
  const [one, two] = fleet as [Member, Member]
  const { handler, open } = gate()
  for (const { scheduler } of fleet) scheduler.job('a', NEVER, handler)
  await Promise.all(fleet.map(({ scheduler }) => scheduler.start()))
  const run = await liveRun(one.scheduler, 'a')
  await until('it runs', () => run.state === 'running')
  await until('the replica has it', async () => Number(await command(replica, 'DBSIZE')) >= 4)
  replica.hang()
  const written = settled([one.scheduler], 1, ({ id }) => id === run.id)
  open()
  await written
  expect(run.outcome).toBe('succeeded')
  await master.kill()
  replica.resume()
  await command(replica, 'REPLICAOF', 'NO', 'ONE')
  proxy.switchTo(replica.port)
  await aftermath(two)
  expect([...one.words, ...two.words]).toEqual([])
})
