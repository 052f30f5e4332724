import { fileURLToPath } from 'node:url'
import { redisStore } from '@escapement/redis-store'
import { fleetContract } from '@escapement/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, test } from 'vitest'
import {
  ASKING_MS,
  askAndKillAll,
  askUnderKills,
  operatedFleet,
  pauseAndKill,
  startAll,
} from '../../postgres/test/operators.ts'
import { RedisServer } from '../../redis-lock/test/redis-server.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

describe('the fleet port of redis-store', () => {
  const cases = fleetContract({ plugin: (name) => redisStore({ redis: server.url, prefix: name }) })
  for (const { name, run } of cases) test(name, run)
})

describe('three processes', () => {
  let fleet: ReturnType<typeof operatedFleet>
  let opened = 0
  beforeEach(async () => {
    const plugin = fileURLToPath(new URL('./plugins.mjs', import.meta.url))
    fleet = operatedFleet(plugin, { redis: server.url, prefix: `operated${++opened}` })
    await startAll(fleet)
  })
  afterEach(() => fleet.kill())

  test(
    'requests with keys are run once or on record, whoever is killed meanwhile',
    async () => {
      await askUnderKills(fleet)
    },
    ASKING_MS,
  )

  test('requests survive the kill of all processes, and are run once', () => askAndKillAll(fleet))

  test('a pause holds on all within a second, also when the one that made it is killed', () =>
    pauseAndKill(fleet))
})
