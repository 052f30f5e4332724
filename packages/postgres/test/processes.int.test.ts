import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Line, Processes } from './processes.ts'
import { type Server, startServer } from './server.ts'

let server: Server
let fleet: Processes
beforeAll(async () => {
  server = await startServer()
})
afterEach(() => fleet?.kill())
afterAll(() => server?.close())

async function rows(schema: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(server.config as pg.ClientConfig)
  await client.connect()
  try {
    return (await client.query(sql.replaceAll('$.', `${schema}.`))).rows as Record<string, unknown>[]
  } finally {
    await client.end()
  }
}

test('a rolling restart of three instances under a one-second job loses and doubles no tick', async () => {
  fleet = new Processes({
    config: server.config,
    schema: 'handover',
    job: 'second',
    period: 1000,
    takes: 150,
  })
  await Promise.all(['a1', 'b1', 'c1'].map((name) => fleet.start(name)))
  for (const generation of [2, 3]) {
    for (const name of ['a', 'b', 'c']) {
      // In the middle of a run: it has to be waited for.
      await fleet.line(({ event }) => event === 'begin')
      const gone = fleet.stop(`${name}${generation - 1}`)
      await fleet.start(`${name}${generation}`)
      await gone
    }
  }
  // One more after the six that the restarts have met.
  const last = await fleet.line(({ event }) => event === 'begin')
  await fleet.line(({ key, outcome }) => key === last.key && outcome === 'succeeded')
  await Promise.all(['a3', 'b3', 'c3'].map((name) => fleet.stop(name)))

  const begun = fleet.lines.filter(({ event }) => event === 'begin').map(({ key }) => key)
  const first = Date.parse(String(begun[0]).slice('second@'.length))
  const expected = begun.map((_, index) => `second@${new Date(first + index * 1000).toISOString()}`)
  expect(begun.length).toBeGreaterThan(6)
  expect(begun.toSorted()).toEqual(expected)
  expect(
    new Set(fleet.lines.filter(({ event }) => event === 'begin').map(({ name }) => name)).size,
  ).toBeGreaterThan(1)
  const ends = fleet.lines.filter(({ outcome }) => outcome === 'succeeded').map(({ key }) => key)
  expect(ends.toSorted()).toEqual(expected)
  const kept = await rows('handover', `SELECT key FROM $.runs WHERE state = 'succeeded' ORDER BY key`)
  expect(kept.map(({ key }) => key)).toEqual(expected)
})

test('a run of an instance that stands still is run again elsewhere, and cannot succeed when it comes back', async () => {
  fleet = new Processes({
    config: server.config,
    schema: 'still',
    job: 'slow',
    period: 60_000,
    takes: 1500,
    heartbeat: 200,
    lease: 1000,
    onAbandoned: 'rerun',
  })
  await fleet.start('a')
  await fleet.start('b')
  // Its next tick may be a minute away: it is made due by a watermark of the past.
  await Promise.all(['a', 'b'].map((name) => fleet.stop(name)))
  await rows('still', `UPDATE $.jobs SET decided = now() - interval '61 s'`)
  const begin = fleet.line(({ event }) => event === 'begin')
  await Promise.all(['a', 'b'].map((name) => fleet.start(name)))
  const first = await begin
  const other = first.name === 'a' ? 'b' : 'a'
  const again = fleet.line(({ event, name }) => event === 'begin' && name === other)
  const over = fleet.line(({ outcome, name }) => outcome === 'succeeded' && name === other)
  const back = fleet.line(
    ({ event, name, key }) => event === 'settled' && name === first.name && key === first.key,
  )
  fleet.signal(first.name, 'SIGSTOP')
  const second = await again
  expect(second).toMatchObject({ key: first.key, start: 2 } satisfies Partial<Line>)
  expect(second.fence).toBeGreaterThan(first.fence)
  fleet.signal(first.name, 'SIGCONT')
  expect((await back).outcome).not.toBe('succeeded')
  await over
  await Promise.all(['a', 'b'].map((name) => fleet.stop(name)))
  const kept = await rows(
    'still',
    `SELECT start, state FROM $.runs WHERE key = '${first.key}' ORDER BY start`,
  )
  expect(kept).toEqual([
    { start: 1, state: 'abandoned' },
    { start: 2, state: 'succeeded' },
  ])
})

test('a killed instance is found, and its tick is run again', async () => {
  fleet = new Processes({
    config: server.config,
    schema: 'killed',
    job: 'second',
    period: 1000,
    takes: 400,
    heartbeat: 200,
    lease: 1000,
    onAbandoned: 'rerun',
  })
  await Promise.all(['a', 'b'].map((name) => fleet.start(name)))
  const first = await fleet.line(({ event }) => event === 'begin')
  const again = fleet.line(
    ({ outcome, key, start }) => outcome === 'succeeded' && key === first.key && start === 2,
  )
  await fleet.stop(first.name, 'SIGKILL')
  expect((await again).fence).toBeGreaterThan(first.fence)
  await fleet.stop(first.name === 'a' ? 'b' : 'a')
  const open = await rows('killed', 'SELECT key FROM $.runs WHERE ended IS NULL')
  expect(open).toEqual([])
})
