// A statement that waits in PostgreSQL may take effect long after nobody waits for its answer any more.
import { setTimeout as sleep } from 'node:timers/promises'
import { every, manual } from '@escapement/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Fleet, type FleetOptions } from './fleet.ts'
import { type Server, startServer } from './server.ts'

let server: Server
let fleets: Fleet[] = []
beforeAll(async () => {
  server = await startServer()
})
afterEach(async () => {
  await Promise.all(fleets.map((fleet) => fleet.stop()))
  fleets = []
})
afterAll(() => server?.close())

const JOBS = ['a', 'b', 'c']

async function startFleet(schema: string, options: Partial<FleetOptions> = {}): Promise<Fleet> {
  const fleet = new Fleet(server, schema, {
    ...options,
    jobs(scheduler, { begun }) {
      for (const name of JOBS)
        scheduler.job(name, every('1s'), async (run) => {
          begun.push(run.key)
          await sleep(50)
        })
      scheduler.job('asked', manual(), (run) => void begun.push(run.key))
    },
  })
  fleets.push(fleet)
  await fleet.start(2)
  await fleet.works(JOBS)
  return fleet
}

/** Asks for the mutex again and again; says how often it was given, and whether to two at once. */
function keepAsking(fleet: Fleet): { stop(): Promise<{ given: number; shared: boolean }> } {
  const seen = { given: 0, shared: false }
  let open = true
  let inside = 0
  const asking = fleet.members.map(async (scheduler) => {
    while (open) {
      const enter = async () => {
        if (++inside > 1) seen.shared = true
        await sleep(20)
        inside--
        seen.given++
      }
      await scheduler.exclusive('door', enter).catch(() => sleep(50))
    }
  })
  return {
    async stop() {
      open = false
      await Promise.all(asking)
      return seen
    },
  }
}

async function heals(fleet: Fleet, asking: ReturnType<typeof keepAsking>): Promise<void> {
  await fleet.works(JOBS)
  await fleet.members[0]?.run('asked', undefined, { wait: true })
  expect((await asking.stop()).shared).toBe(false)
  await fleet.members[1]?.exclusive('door', () => {}, AbortSignal.timeout(4000))
  await fleet.idle()
  fleet.once()
  expect(fleet.abandoned).toEqual([])
}

test.each(['ACCESS EXCLUSIVE', 'SHARE'])(
  'tables that another session holds for six seconds in mode %s',
  async (mode) => {
    // Each in a schema of its own, at the same time.
    const held = ['claims', 'instances', 'fences', 'runs', 'jobs'].map(async (table) => {
      const fleet = await startFleet(`${table}_${mode.slice(0, 2).toLowerCase()}`)
      const asking = keepAsking(fleet)
      const session = await server.pool({ max: 1 }).connect()
      await session.query(`BEGIN; LOCK TABLE ${fleet.schema}.${table} IN ${mode} MODE`)
      // Time is the subject.
      await sleep(6000)
      await session.query('COMMIT')
      session.release()
      await heals(fleet, asking)
    })
    await Promise.all(held)
  },
)

test('a synchronous standby that is away for nine seconds: all jobs run again, and nothing twice', async () => {
  const fleet = await startFleet('standby', { heartbeat: 500, lease: 20_000 })
  const asking = keepAsking(fleet)
  const admin = server.pool({ max: 1 })
  await admin.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
  await admin.query('SELECT pg_reload_conf()')
  // Time is the subject.
  await sleep(9000)
  await admin.query('ALTER SYSTEM RESET synchronous_standby_names')
  await admin.query('SELECT pg_reload_conf()')
  await heals(fleet, asking)
})
