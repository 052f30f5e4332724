/** Threads that cannot start, or die: a failed run, and never the end of the process. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createScheduler, manual } from '@escapement/core'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { worker } from '../dist/index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'worker-'))
})
afterAll(() => rm(folder, { recursive: true }))

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

test.each([
  ['throws when it is loaded', "throw new Error('at import')", /at import/],
  ['is no JavaScript', 'export default (', /Unexpected|Invalid/i],
  ['has no default export', 'export const a = 1', /default export/],
  ['ends its thread', 'export default () => process.exit(3)', /exit|terminat/i],
  [
    'takes all memory',
    'export default () => { const a = []; for (;;) a.push(new Array(1e5).fill(a.length)) }',
    /memory/,
  ],
  [
    'throws from a timer',
    "export default () => new Promise(() => setTimeout(() => { throw new Error('later') }, 5))",
    /later/,
  ],
])(
  'a module that %s is a failed run, and the next one runs',
  async (name, code, message) => {
    const file = join(folder, `${name.replaceAll(' ', '-')}.mjs`)
    await writeFile(file, code)
    const good = join(folder, 'good.mjs')
    await writeFile(good, "export default () => 'ran'")
    const scheduler = createScheduler({ logger: quiet })
    const options = { resourceLimits: { maxOldGenerationSizeMb: 32 } }
    scheduler.job('bad', manual(), { timeout: '20s' }, worker(file, options))
    scheduler.job('good', manual(), worker(good))
    const run = await scheduler.run('bad', undefined, { wait: true })
    expect(run.outcome).toBe('failed')
    expect(String((run.error as Error).message)).toMatch(message)
    expect((await scheduler.run('good', undefined, { wait: true })).result).toBe('ran')
    expect((await scheduler.run('bad', undefined, { wait: true })).outcome).toBe('failed')
  },
  60_000,
)

test.each(['cjs', 'es'] as const)(
  'in a bundle (%s) it is a failed run with a word on bundlers',
  async (format) => {
    const source = (name: string) => fileURLToPath(new URL(`../../${name}/dist/index.js`, import.meta.url))
    const app = join(folder, `app-${format}.mjs`)
    await writeFile(join(folder, 'job.mjs'), "export default () => 'ran'")
    await writeFile(
      app,
      `import { createScheduler, manual } from ${JSON.stringify(source('core'))}
    import { worker } from ${JSON.stringify(source('worker'))}
    const scheduler = createScheduler()
    scheduler.job('w', manual(), worker(${JSON.stringify(join(folder, 'job.mjs'))}))
    scheduler.run('w', undefined, { wait: true }).then((run) => console.log('ended', run.outcome, run.error.message))`,
    )
    const bundle = await rolldown({ input: app, platform: 'node', external: [/^node:/, '@napi-rs/nice'] })
    const file = join(folder, format, format === 'cjs' ? 'app.cjs' : 'app.mjs')
    await bundle.write({ file, format, codeSplitting: false })
    await bundle.close()
    const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 30_000 })
    expect(stdout).toMatch(/ended failed worker: a thread cannot start.*external/)
  },
)
