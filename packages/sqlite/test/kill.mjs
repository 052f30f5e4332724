// Kills processes that write a file at random moments: `node kill.mjs [times] [batched|full]`. Each time the file
// must open and hold every run that was acknowledged; in the end no run may be under way for ever.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createScheduler, every, manual } from '@escapement/core'
import { sqlite } from '@escapement/sqlite'

const times = Number(process.argv[2] ?? 500)
const durability = process.argv[3] ?? 'batched'
const folder = mkdtempSync(join(tmpdir(), 'kill-'))
const file = join(folder, 'jobs.db')
const victim = fileURLToPath(new URL('./victim.mjs', import.meta.url))
/** Outcomes by run. */
const acknowledged = new Map()

try {
  for (let round = 1; round <= times; round++) {
    for (const [id, outcome] of await oneLife(Math.random() * 600)) acknowledged.set(id, outcome)
    if (round % 10 === 0 || round === times) await check(round)
  }
  await end()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Starts a process and kills it so many ms after it is ready. The runs it told of, with their outcomes. */
async function oneLife(ms) {
  const child = spawn(process.execPath, [victim, file, durability], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    if (text === '') setTimeout(() => child.kill('SIGKILL'), ms)
    text += chunk
  })
  const [code] = await new Promise((resolve) => child.once('close', (...how) => resolve(how)))
  if (code !== null) throw new Error(`the process ended by itself with ${code}`)
  // The last line may be cut.
  const lines = text.split('\n').slice(1, -1)
  return lines.map((line) => line.split(' '))
}

async function check(round) {
  const plugin = sqlite({ file, durability })
  const runs = new Map(plugin.store.runs({ limit: 10_000_000 }).map((run) => [run.id, run.state]))
  await plugin.stop({ clean: true })
  for (const [id, outcome] of acknowledged) {
    if (runs.get(id) !== outcome)
      throw new Error(`round ${round}: run ${id} ${outcome}, but is kept as ${runs.get(id)}`)
  }
  const keys = [...runs.values()]
  const count = (state) => keys.filter((one) => one === state).length
  console.log(
    `${round} killed (${durability}): ${acknowledged.size} acknowledged, ${runs.size} kept, ${count('abandoned')} abandoned, ${count('running')} running`,
  )
}

/** A last process finds what the others left. */
async function end() {
  const plugin = sqlite({ file, durability, heartbeat: 100, lease: 400, retention: { runs: 1_000_000 } })
  const quiet = { debug() {}, info() {}, warn() {}, error() {} }
  const scheduler = createScheduler({ plugins: [plugin], logger: quiet })
  for (let i = 0; i < 4; i++) scheduler.job(`manual-${i}`, manual(), () => {})
  scheduler.job('record', every('1s'), () => {})
  scheduler.job('rerun', every('1s'), { onAbandoned: 'rerun' }, () => {})
  await scheduler.start()
  const started = Date.now()
  while (plugin.store.runs({ state: 'running' }).length > 0) {
    if (Date.now() - started > 10_000) throw new Error('runs are under way for ever')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const reruns = plugin.store.runs({ job: 'rerun', limit: 1_000_000 }).filter(({ restarts }) => restarts > 0)
  const doubled = reruns.filter(({ key, restarts, state }) => {
    const before = plugin.store
      .runs({ key })
      .filter((run) => run.restarts < restarts && run.state === 'succeeded')
    return state === 'succeeded' && before.length > 0
  })
  if (doubled.length > 0) throw new Error(`${doubled.length} ticks succeeded twice`)
  console.log(`none is under way ${Date.now() - started} ms after the last start; ${reruns.length} reruns`)
  await scheduler.stop()
}
