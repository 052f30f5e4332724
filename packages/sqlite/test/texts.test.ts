// Texts from outside that SQLite cannot keep, or not at their length, and names of files.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createScheduler, manual } from '@escapement/core'
import { sqlite } from '@escapement/sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
  file = join(folder, 'jobs.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const TEXTS = {
  nul: 'a\0b',
  escaped: 'a\\u0000b\\ud800',
  high: 'half \ud83d of a pair',
  low: '\udc00',
  reversed: '\udc00\ud83d',
  noncharacter: '\uffff\ufffe',
  emoji: '💥'.repeat(2000),
  long: 'x'.repeat(10_000_000),
  longNul: '\0'.repeat(1_000_000),
}

function open(path: string) {
  const lines: string[] = []
  const write = (fields: object | string, message?: string) =>
    void lines.push(typeof fields === 'string' ? fields : String(message))
  const logger = { debug() {}, info() {}, warn: write, error: write }
  return { scheduler: createScheduler({ plugins: [sqlite({ file: path })], logger }), lines }
}

test('errors with texts that cannot be kept as they are harm no other record, and the history can be read', async () => {
  const { scheduler, lines } = open(file)
  for (const [name, text] of Object.entries(TEXTS)) {
    scheduler.job(name, manual(), () => {
      throw Object.assign(new Error(text), { code: text, name: text, stack: text })
    })
  }
  scheduler.job('healthy', manual(), () => {})
  await scheduler.start()
  const names = [...Object.keys(TEXTS), 'healthy']
  await Promise.all(names.map((name) => scheduler.run(name, undefined, { wait: true })))
  const history = await scheduler.history()
  expect(history.map(({ job }) => job).toSorted()).toEqual(names.toSorted())
  for (const { error } of history) expect(error?.message?.length ?? 0).toBeLessThan(5000)
  expect(history.find(({ job }) => job === 'healthy')?.state).toBe('succeeded')
  expect(lines.filter((line) => /^(store|sqlite) /.test(line))).toEqual([])
  await scheduler.stop()
})

test('a mutex may have any name', async () => {
  const { scheduler } = open(file)
  await scheduler.start()
  for (const name of Object.values(TEXTS)) {
    await expect(scheduler.exclusive(name, () => 'done')).resolves.toBe('done')
  }
  await scheduler.stop()
})

test('a file: URI without parameters is the file, with all that guards one', async () => {
  for (const uri of [pathToFileURL(file).href, `file:${file}`]) {
    const { scheduler } = open(uri)
    await scheduler.start()
    expect(existsSync(file)).toBe(true)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await scheduler.stop()
    rmSync(file)
  }
  for (const uri of ['file://elsewhere/jobs.db', 'file:%E0%A4%A'])
    expect(() => sqlite({ file: uri })).toThrow(expect.objectContaining({ code: 'ERR_ESCAPEMENT_OPTION' }))
})
