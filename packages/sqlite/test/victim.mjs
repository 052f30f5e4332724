// A process that is to be killed: runs jobs on a file and tells of each run that counts.
import { writeSync } from 'node:fs'
import { createScheduler, every, manual } from '@escapement/core'
import { sqlite } from '@escapement/sqlite'

const [file, durability] = process.argv.slice(2)
const plugin = sqlite({
  file,
  durability,
  heartbeat: 100,
  // A request whose job is held by a process that was killed is tried again so soon.
  poll: 50,
  lease: 400,
  retention: { runs: 1_000_000 },
})
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const scheduler = createScheduler({ plugins: [plugin], logger: quiet })
const work = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 20))

for (let i = 0; i < 4; i++) scheduler.job(`manual-${i}`, manual(), work)
scheduler.job('record', every('1s'), work)
scheduler.job('rerun', every('1s'), { onAbandoned: 'rerun' }, work)

await scheduler.start()
writeSync(1, 'ready\n')
for (let i = 0; i < 4; i++) void demand(`manual-${i}`)

async function demand(name) {
  while (scheduler.state === 'running') {
    const run = await scheduler.run(name, undefined, { wait: true }).catch((error) => {
      // Not run while the lease of a process that was killed is not over.
      if (error.code !== 'ERR_ESCAPEMENT_NOT_RUN') throw error
    })
    if (!run) {
      await work()
      continue
    }
    const { id, outcome } = run
    // Reading lets all that waits be written.
    await plugin.store.runs({ limit: 1 })
    writeSync(1, `${id} ${outcome}\n`)
  }
}
