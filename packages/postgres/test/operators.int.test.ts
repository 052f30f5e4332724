import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, test } from 'vitest'
import {
  ASKING_MS,
  askAndKillAll,
  askUnderKills,
  operatedFleet,
  pauseAndKill,
  pauseInOutage,
  startAll,
} from './operators.ts'
import { type Server, startServer } from './server.ts'

let server: Server
let fleet: ReturnType<typeof operatedFleet>
beforeAll(async () => {
  server = await startServer()
})
afterEach(() => fleet?.kill())
afterAll(() => server?.close())

function make(schema: string) {
  const plugin = fileURLToPath(new URL('./plugin.mjs', import.meta.url))
  const options = { config: server.config, schema, heartbeat: '200ms', lease: '1s' }
  return operatedFleet(plugin, options)
}

test(
  'requests with keys are run once or on record, whoever is killed meanwhile',
  async () => {
    fleet = make('asked')
    await startAll(fleet)
    await askUnderKills(fleet)
  },
  ASKING_MS,
)

test('requests survive the kill of all processes, and are run once', async () => {
  fleet = make('all_killed')
  await startAll(fleet)
  await askAndKillAll(fleet)
})

test('a pause holds on all within a second, also when the one that made it is killed', async () => {
  fleet = make('paused')
  await startAll(fleet)
  await pauseAndKill(fleet)
})

test('a pause that cannot be kept is refused, holds where it was made, and goes to all after the outage', async () => {
  fleet = make('outage')
  await startAll(fleet)
  await pauseInOutage(fleet, server)
})
