// The file cannot be written for some seconds: the disk is full, or fails.
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

interface Line {
  log?: string
  begun?: string
  key?: string
  outcome?: string
  degraded?: string[]
  live?: boolean
}

let folder: string
let file: string
let child: ChildProcess | undefined
let lines: Line[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
  file = join(folder, 'jobs.db')
  lines = []
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function start(): void {
  const script = fileURLToPath(new URL('./limited.mjs', import.meta.url))
  child = fork(script, [file], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  let rest = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const whole = (rest + chunk).split('\n')
    rest = whole.pop() ?? ''
    lines.push(...whole.map((line) => JSON.parse(line) as Line))
  })
}

async function stop(): Promise<void> {
  const over = new Promise((resolve) => child?.once('exit', resolve))
  child?.send('stop')
  expect(await over).toBe(0)
}

/** No file of the process may grow beyond this size. */
const limit = (size: string) => execFileSync('prlimit', [`--pid=${child?.pid}`, `--fsize=${size}:unlimited`])
const succeeded = () => lines.filter(({ outcome }) => outcome === 'succeeded').map(({ key }) => key)
const begun = () => lines.flatMap(({ begun }) => begun ?? [])

test('what ends while nothing can be written keeps its outcome, is written later, and does not run again', async () => {
  start()
  await expect.poll(() => succeeded().length, { timeout: 8000 }).toBeGreaterThan(0)
  const before = begun().length
  await expect.poll(() => begun().length, { timeout: 4000, interval: 5 }).toBeGreaterThan(before)
  const during = begun().at(-1)
  limit('0')
  // Time is the subject: ticks come and end meanwhile.
  await sleep(4000)
  child?.send('health')
  await expect.poll(() => lines.some(({ degraded }) => degraded)).toBe(true)
  limit('unlimited')
  expect(lines.findLast(({ degraded }) => degraded)).toMatchObject({
    live: true,
    degraded: [expect.stringContaining('the file cannot be written')],
  })
  await expect.poll(() => succeeded(), { timeout: 8000 }).toContain(during)
  const healed = succeeded().length
  await expect.poll(() => succeeded().length, { timeout: 8000 }).toBeGreaterThan(healed + 1)
  await stop()
  const count = begun().length
  start()
  await expect.poll(() => begun().length, { timeout: 8000 }).toBeGreaterThan(count + 1)
  await stop()
  expect(begun().toSorted()).toEqual([...new Set(begun())].toSorted())
  expect(lines.filter(({ outcome }) => outcome !== undefined && outcome !== 'succeeded')).toEqual([])
  const logged = lines.flatMap(({ log }) => log ?? [])
  expect(logged.filter((line) => line.includes('can be written again'))).toHaveLength(1)
  expect(logged.length).toBeLessThanOrEqual(4)
}, 60_000)
