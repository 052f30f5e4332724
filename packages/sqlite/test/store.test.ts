import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from '@escapement/sqlite'
import { fleetContract, retentionContract, storeContract } from '@escapement/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

for (const durability of ['batched', 'full'] as const) {
  describe(`sqlite store, ${durability}`, () => {
    const open = async (name: string, retention?: { runs: number }) => {
      const file = join(folder, `${durability}-${name}.db`)
      const plugin = sqlite({ file, durability, ...(retention && { retention }) })
      const { store } = plugin
      if (!store) throw new Error('it brings a store')
      return { store, close: async () => plugin.stop?.({ clean: true, deadline: 2000 }) }
    }
    for (const { name, run } of storeContract({ open, queried: durability === 'batched' ? 10_000 : 500 }))
      test(name, run, 30_000)
  })
}

describe('sqlite fleet', () => {
  const plugin = (name: string) =>
    sqlite({ file: join(folder, `${name}.db`), heartbeat: '100ms', lease: '2s', poll: '50ms' })
  for (const { name, run } of fleetContract({ plugin })) test(name, run)
})

describe('what sqlite keeps', () => {
  const cases = retentionContract({
    plugin: (name, retention) => sqlite({ file: join(folder, `kept-${name}.db`), retention }),
  })
  for (const { name, run } of cases) test(name, run, 60_000)
})
