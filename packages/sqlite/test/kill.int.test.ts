import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('./kill.mjs', import.meta.url))

// A sample; `node packages/sqlite/test/kill.mjs 500` does it as often as it should be done before a release.
test.each(['batched', 'full'])(
  'processes killed at random moments lose nothing acknowledged, %s',
  async (durability) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, '8', durability], {
      timeout: 55_000,
    })
    const [, acknowledged, kept] = /(\d+) acknowledged, (\d+) kept/.exec(stdout) ?? []
    expect(Number(acknowledged)).toBeGreaterThan(20)
    expect(Number(kept)).toBeGreaterThanOrEqual(Number(acknowledged))
    expect(stdout).toContain('none is under way')
  },
)
