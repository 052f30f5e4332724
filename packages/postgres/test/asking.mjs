// One instance of a fleet, as a process of its own: does what its parent asks, and tells of each run that begins.
import { writeSync } from 'node:fs'
import { createScheduler, manual } from '@escapement/core'

const { plugin, name, ...options } = JSON.parse(process.argv[2])
const { make } = await import(plugin)
const scheduler = createScheduler({
  instance: name,
  plugins: [make(options)].flat(),
  logger: { debug() {}, info() {}, warn() {}, error() {} },
})
const tell = (line) => writeSync(1, `${JSON.stringify({ name, ...line })}\n`)

scheduler.job('work', manual(), { overlap: 'allow' }, async (run) => {
  tell({ event: 'begin', key: run.data.key, id: run.id })
  await new Promise((resolve) => setTimeout(resolve, 5))
})
scheduler.job('other', manual(), () => {})
await scheduler.start()
tell({ event: 'ready' })

const answers = {
  run: async ({ key, ...more }) => (await scheduler.run('work', { key }, { key, ...more })).id,
  pause: async ({ job, by }) => scheduler.pause(job, { by }),
  resume: async ({ job }) => scheduler.resume(job),
  paused: async () => ({ all: scheduler.paused?.by, other: scheduler.get('other').paused?.by }),
  find: async (ids) => Promise.all(ids.map(async (id) => (await scheduler.find(id))?.state)),
}
process.on('message', async ({ id, ask, about }) => {
  try {
    process.send({ id, answer: { value: await answers[ask](about) } })
  } catch (error) {
    process.send({ id, answer: { error: String(error?.code ?? error) } })
  }
})
