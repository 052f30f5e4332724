import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, test } from 'vitest'
import { RedisServer } from '../../redis-lock/test/redis-server.ts'
import { ASKING_MS, askUnderKills, operatedFleet, startAll } from './operators.ts'
import { type Server, startServer } from './server.ts'

let server: Server
let redis: RedisServer
let fleet: ReturnType<typeof operatedFleet>
beforeAll(async () => {
  server = await startServer()
  redis = await RedisServer.start()
})
afterEach(() => fleet?.kill())
afterAll(async () => {
  await redis?.stop()
  await server?.close()
})

test(
  'requests with keys are run once or on record beside another lock, whoever is killed meanwhile',
  async () => {
    const plugin = fileURLToPath(new URL('./beside-lock.mjs', import.meta.url))
    fleet = operatedFleet(plugin, { config: server.config, redis: redis.url, schema: 'beside' })
    await startAll(fleet)
    await askUnderKills(fleet)
  },
  ASKING_MS,
)
