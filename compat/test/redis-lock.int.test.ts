import { afterAll, afterEach, beforeAll, beforeEach, test } from 'vitest'
import { RedisServer } from '../../packages/redis-lock/test/redis-server.ts'
import { Fleet } from './fleet.ts'
import { mutexes, rollingDeploy } from './rolling-deploy.ts'
import { tenAtOnce } from './ten-at-once.ts'

let server: RedisServer
let fleet: Fleet
beforeAll(async () => {
  server = await RedisServer.start()
})
beforeEach(() => {
  fleet = new Fleet({ backend: 'redis-lock', server: server.url })
})
afterEach(() => fleet.kill())
afterAll(() => server?.stop())

test('a deployment over one Redis and its rollback lose and double no tick', () =>
  rollingDeploy(fleet, { shared: false }))

test('a mutex is held by one instance, of whatever version', () => mutexes(fleet))

test('five instances of each version at once do no harm', () => {
  fleet = new Fleet({ backend: 'redis-lock', server: server.url, lease: 3000 })
  return tenAtOnce(fleet)
}, 30_000)
