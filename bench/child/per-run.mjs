// What a run costs beside its handler: asked for and awaited, one after the other.
import { createScheduler, manual } from '@escapement/core'

const N = 200_000
const handler = async () => {}
const scheduler = createScheduler()
const bare = scheduler.job('bare', manual(), handler)
const busy = createScheduler({
  plugins: [{ name: 'hook', hooks: { run: (_run, next) => next() } }],
  logger: { debug() {}, info() {}, warn() {}, error() {} },
}).job('busy', manual(), async (run) => {
  void run.signal
  run.log.info('here')
})

/** Runs one at a time: fired, and the next when it has settled. */
async function fire(job) {
  for (let i = 0; i < N; i++) await job.run(undefined, { wait: true })
}
async function direct() {
  for (let i = 0; i < N; i++) await handler()
}

async function us(work, ...args) {
  const begun = process.cpuUsage()
  await work(...args)
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / N
}
for (const warm of [direct, () => fire(bare), () => fire(busy)]) await warm()
const result = {
  direct: await us(direct),
  run: await us(fire, bare),
  'run with signal, log and a hook': await us(fire, busy),
}
console.log(JSON.stringify(result))
process.exit(0)
