import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, test } from 'vitest'
import {
  ASKING_MS,
  askAndKillAll,
  askUnderKills,
  operatedFleet,
  pauseAndKill,
  startAll,
} from '../../postgres/test/operators.ts'

let folder: string
let fleet: ReturnType<typeof operatedFleet>
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
  const plugin = fileURLToPath(new URL('./plugin.mjs', import.meta.url))
  fleet = operatedFleet(plugin, { file: join(folder, 'jobs.db'), heartbeat: '200ms', lease: '1s' })
  await startAll(fleet)
})
afterEach(async () => {
  await fleet.kill()
  rmSync(folder, { recursive: true, force: true })
})

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
