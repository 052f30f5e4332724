import { afterAll, afterEach, beforeAll, beforeEach, test } from 'vitest'
import { type Server, startServer } from '../../packages/postgres/test/server.ts'
import { Fleet } from './fleet.ts'
import { mutexes, rollingDeploy } from './rolling-deploy.ts'
import { tenAtOnce } from './ten-at-once.ts'

let server: Server
let fleet: Fleet
beforeAll(async () => {
  server = await startServer()
})
beforeEach(() => {
  fleet = new Fleet({ backend: 'postgres', server: server.config })
})
afterEach(() => fleet.kill())
afterAll(() => server?.close())

test('a deployment over one schema and its rollback lose and double no tick', () =>
  rollingDeploy(fleet, { shared: true }))

test('a mutex is held by one instance, of whatever version', () => mutexes(fleet))

test('five instances of each version at once do no harm', () => {
  fleet = new Fleet({ backend: 'postgres', server: server.config, lease: 3000 })
  return tenAtOnce(fleet)
}, 30_000)
