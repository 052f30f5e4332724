import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const core = new URL('../dist/index.js', import.meta.url).href

/** The error lines of a process that ends with a run under way. */
function endBy(body: string, begin = 'await scheduler.start()') {
  const code = `
    import { createScheduler, manual } from ${JSON.stringify(core)}
    const scheduler = createScheduler()
    scheduler.job('long', manual(), () => new Promise((resolve) => setTimeout(resolve, 60_000)))
    scheduler.job('short', manual(), () => {})
    ${begin}
    await scheduler.run('short', undefined, { wait: true })
    await scheduler.run('long')
    ${body}`
  const args = ['--input-type=module', '-e', code]
  const { stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 })
  return { lines: stderr.split('\n').filter((line) => line.includes('under way')), status }
}

test.each([
  ['start', 'await scheduler.start()'],
  ['no start', ''],
])('process.exit() with a run under way is reported in one line, after %s', (_, begin) => {
  const { lines, status } = endBy('process.exit(3)', begin)
  expect(status).toBe(3)
  expect(lines).toEqual([expect.stringMatching(/process\.exit\(\) did not wait.*jobs=.*long/)])
  expect(lines[0]).not.toContain('short')
})

test('an uncaught error is not taken for process.exit()', () => {
  const { lines, status } = endBy(`setTimeout(() => { throw new Error('thrown') })`)
  expect(status).toBe(1)
  expect(lines).toEqual([expect.stringMatching(/an uncaught error did not wait/)])
})

test('an error that the app has handled is not blamed for a later end', () => {
  const handled = `process.on('uncaughtException', () => setTimeout(() => process.exit(4), 50))`
  const { lines, status } = endBy(`${handled}; setTimeout(() => { throw new Error('thrown') })`)
  expect(status).toBe(4)
  expect(lines).toEqual([expect.stringMatching(/process\.exit\(\) did not wait/)])
})

test('an end after the drain says nothing', () => {
  const { lines, status } = endBy(
    `await scheduler.stop({ grace: 0 }); process.exit(0)`,
    'await scheduler.start()',
  )
  expect(status).toBe(0)
  expect(lines).toEqual([])
})
