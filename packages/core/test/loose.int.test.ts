import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const core = new URL('../dist/index.js', import.meta.url).href

/** Runs a script in a process of its own: loose ends would end this one. */
function script(body: string) {
  const code = `
    import { createScheduler, manual } from ${JSON.stringify(core)}
    const scheduler = createScheduler()
    scheduler.on('error', (error, where) => console.log(where.source, where.run?.job.name, error.message))
    await scheduler.start()
    ${body}`
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  })
}

test('a rejection nobody handles is named with its run, and harms nobody', () => {
  const { stdout, status } = script(`
    scheduler.job('careless', manual(), () => { Promise.reject(new Error('forgotten')) })
    const run = await scheduler.run('careless', undefined, { wait: true })
    setTimeout(async () => { console.log(run.outcome); await scheduler.stop() }, 20)`)
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^scheduler started jobs=0 /),
    'unhandled rejection careless forgotten',
    'succeeded',
  ])
  expect(status).toBe(0)
})

test('a rejection outside of runs ends the process as ever', () => {
  const { stderr, status } = script(`Promise.reject(new Error('elsewhere')); setTimeout(() => {}, 1000)`)
  expect(stderr).toContain('elsewhere')
  expect(status).not.toBe(0)
})

test('an exception thrown from a timer of a run is named before the process ends', () => {
  const { stdout, status } = script(`
    scheduler.job('careless', manual(), () => { setTimeout(() => { throw new Error('from a timer') }, 1) })
    await scheduler.run('careless')
    setTimeout(() => {}, 1000)`)
  expect(stdout).toContain('uncaught exception careless from a timer')
  expect(status).not.toBe(0)
})
