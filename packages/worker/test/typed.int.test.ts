/** Handlers in TypeScript: the loaders of tsx and vitest do not reach threads. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createScheduler, manual } from '@escapement/core'
import { expect, test } from 'vitest'
import { worker } from '../dist/index.js'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const folder = fileURLToPath(new URL('typed', import.meta.url))

async function render(file: string) {
  const scheduler = createScheduler({ logger })
  scheduler.job('render', manual(), worker(file))
  return scheduler.run('render', { year: 2026 }, { wait: true })
}

test('under vitest', async () => {
  const run = await render(join(folder, 'render.ts'))
  expect(run).toMatchObject({ outcome: 'succeeded', result: 'rendered 2026' })
  expect((await render(join(folder, 'render.ts'))).outcome).toBe('succeeded')
})

test.each([
  ['tsx', [fileURLToPath(new URL('../../../node_modules/tsx/dist/cli.mjs', import.meta.url))]],
  ['node --import tsx', ['--import', 'tsx']],
])('under %s', async (_, args) => {
  const given = [...args, join(folder, 'app.ts')]
  const { stdout } = await promisify(execFile)(process.execPath, given, { timeout: 30_000 })
  expect(stdout).toContain('ended succeeded rendered 2026')
})

// Later versions of Node can do without.
test.skipIf('typescript' in process.features)(
  'without tsx it is a failed run that says what to do',
  async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'typed-'))
    try {
      await mkdir(join(elsewhere, 'app'))
      await cp(folder, join(elsewhere, 'app'), { recursive: true })
      const run = await render(join(elsewhere, 'app/render.ts'))
      expect(run.outcome).toBe('failed')
      expect(run.error).toMatchObject({
        code: 'ERR_ESCAPEMENT_HANDLER',
        message: expect.stringMatching(
          /cannot run TypeScript in a thread: install tsx, or give worker\(\) the file/,
        ),
      })
    } finally {
      await rm(elsewhere, { recursive: true })
    }
  },
)
