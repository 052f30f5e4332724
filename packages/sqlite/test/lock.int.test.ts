import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlite } from '@escapement/sqlite'
import { lockContract } from '@escapement/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each(['batched', 'full'] as const)('sqlite lock, %s', (durability) => {
  const cases = lockContract({
    pauses: true,
    plugin: (fleet, { lease, heartbeat }) =>
      sqlite({ file: join(folder, `${durability}-${fleet}.db`), durability, lease, heartbeat }),
  })
  for (const { name, run } of cases) test(name, run)
})
