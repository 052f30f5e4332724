import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'vitest'
import { Fleet } from './fleet.ts'
import { mutexes, rollingDeploy } from './rolling-deploy.ts'

let folder: string
let fleet: Fleet
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'compat-'))
  fleet = new Fleet({ backend: 'sqlite', server: join(folder, 'jobs.db') })
})
afterEach(async () => {
  await fleet.kill()
  rmSync(folder, { recursive: true, force: true })
})

test('a deployment over one file and its rollback lose and double no tick', () =>
  rollingDeploy(fleet, { shared: true }))

test('a mutex is held by one instance, of whatever version', () => mutexes(fleet))
