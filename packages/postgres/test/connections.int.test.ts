// Connections that break, are taken away or go silent, and pools that are busy or closed.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { every, manual } from '@escapement/core'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Fleet } from './fleet.ts'
import { Relay } from './relay.ts'
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

const JOBS = ['a', 'b']

function newFleet(schema: string, takes = 50): Fleet {
  fleet = new Fleet(server, schema, {
    jobs(scheduler, { begun }) {
      for (const name of JOBS)
        scheduler.job(name, every('1s'), async (run) => {
          begun.push(run.key)
          await sleep(takes)
        })
    },
  })
  return fleet
}

test('a restart of PostgreSQL does not end the process of a user without an error listener', async () => {
  const script = fileURLToPath(new URL('./careless.mjs', import.meta.url))
  const child = promisify(execFile)(process.execPath, [script, JSON.stringify(server.config)], {
    timeout: 40_000,
  })
  child.child.stdout?.once('data', async () => {
    await server.kill()
    // Time is the subject: it is away, and back, for longer than a tick.
    await sleep(1500)
    await server.start()
    const admin = server.pool({ max: 1 })
    await sleep(1500)
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )
  })
  const { stdout } = await child
  expect(stdout.trim().split('\n')).toEqual(['ready', 'runs again', 'stopped'])
})

test('a restart with a pool full of idle connections is reported in few lines, without a stack', async () => {
  const all = newFleet('told')
  const pool = server.pool({ max: 10 })
  await all.add({ pool })
  await all.works(JOBS)
  await Promise.all(Array.from({ length: 10 }, () => pool.query('SELECT pg_sleep(0.2)')))
  await server.kill()
  // Time is the subject: many tries fail meanwhile.
  await sleep(3000)
  await server.start()
  await all.works(JOBS)
  const told = (text: string) => all.lines.filter((line) => line.startsWith(text))
  expect(told('postgres: a connection of the pool broke: ')).toHaveLength(1)
  expect(told('postgres fails: ')).toHaveLength(1)
  await expect.poll(() => told('postgres works again'), { timeout: 3000 }).toHaveLength(1)
  await expect.poll(() => all.members[0]?.health().degraded, { timeout: 3000 }).toEqual([])
  expect(all.lines.length).toBeLessThanOrEqual(5)
  expect(all.lines.filter((line) => line.includes('\n'))).toEqual([])
})

test('a pool whose ten connections are all busy costs no lease', async () => {
  const all = newFleet('busy', 1500)
  const pool = server.pool({ max: 10 })
  await all.add({ pool, heartbeat: 200, lease: 2000 })
  const busy = await Promise.all(Array.from({ length: 10 }, () => pool.connect()))
  for (const client of busy) await client.query('BEGIN; SELECT 1')
  // Time is the subject: three leases.
  await sleep(6000)
  await all.works(JOBS)
  for (const client of busy) {
    await client.query('COMMIT')
    client.release()
  }
  expect(all.settled.filter(({ outcome }) => outcome === 'lease-lost')).toEqual([])
  expect(all.settled.filter(({ reason }) => reason === 'claim-unavailable')).toEqual([])
  await expect
    .poll(async () => (await all.rows("SELECT key FROM $.runs WHERE state = 'succeeded'")).length, {
      timeout: 5000,
    })
    .toBeGreaterThan(6)
})

test('a pool that the app ends before the scheduler stops: outcomes and ends are kept', async () => {
  const all = newFleet('ended', 600)
  const pool = server.pool({ max: 5 })
  const scheduler = await all.add({ pool })
  scheduler.job('slow', manual(), () => sleep(800))
  await all.works(JOBS)
  const begun = new Promise<void>((resolve) => {
    scheduler.on('running', ({ job }) => job.name === 'slow' && resolve())
  })
  const run = await scheduler.run('slow')
  await begun
  const ending = pool.end()
  const stopped = scheduler.stop()
  await Promise.all([ending, stopped])
  expect(all.settled.find(({ id }) => id === run.id)?.outcome).toBe('succeeded')
  const [claim] = await all.rows('SELECT state FROM $.claims WHERE token = $1', [run.id])
  const [record] = await all.rows('SELECT state FROM $.runs WHERE id = $1', [run.id])
  expect([claim?.state, record?.state]).toEqual(['succeeded', 'succeeded'])
  expect(await all.rows("SELECT key FROM $.claims WHERE state = 'run'")).toEqual([])
  expect(all.lines).toEqual([expect.stringContaining('close it after scheduler.stop()')])
})

test('connections that go silent are given up, and all jobs run again', async () => {
  const relay = await Relay.start(join(String(server.config.host), '.s.PGSQL.5432'))
  try {
    const all = newFleet('silent')
    const pool = new pg.Pool({ ...server.config, host: '127.0.0.1', port: relay.port, max: 1 })
    const scheduler = await all.add({ pool })
    await all.works(JOBS)
    relay.mode = 'silent'
    const silent = expect.stringContaining('PostgreSQL has not answered within')
    await expect.poll(() => scheduler.health().degraded, { timeout: 20_000 }).toContainEqual(silent)
    expect(scheduler.health().live).toBe(true)
    relay.mode = 'open'
    await all.works(JOBS, 15_000)
    await all.idle()
    all.once()
    const told = all.lines.filter((line) => line.startsWith('postgres '))
    expect(told).toHaveLength(2)
    // The connections of the pool as well, though nobody waits for them.
    await expect
      .poll(
        () =>
          scheduler.history({ limit: 1 }).then(
            () => true,
            () => false,
          ),
        { timeout: 45_000 },
      )
      .toBe(true)
    await scheduler.stop()
  } finally {
    await relay.close()
  }
}, 90_000)

test('a stop while PostgreSQL is silent is over in bounded time, and names what could not be written', async () => {
  const relay = await Relay.start(join(String(server.config.host), '.s.PGSQL.5432'))
  try {
    const all = newFleet('silent_stop', 300)
    const pool = new pg.Pool({ ...server.config, host: '127.0.0.1', port: relay.port, max: 3 })
    const scheduler = await all.add({ pool })
    await all.works(JOBS)
    const before = all.begun.length
    await expect.poll(() => all.begun.length, { interval: 5 }).toBeGreaterThan(before)
    relay.mode = 'silent'
    // It stays silent: only the bound of a stop ends this.
    await scheduler.stop({ grace: 1000 })
    expect(all.settled.at(-1)?.outcome).toBe('succeeded')
    expect(all.lines.filter((line) => line.includes('could not be written within'))).toHaveLength(1)
  } finally {
    await relay.close()
  }
})
