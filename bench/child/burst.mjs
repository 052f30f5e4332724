// A process whose jobs fall due together, again and again: when each burst began and ended, and the longest time
// its loop was blocked.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createScheduler } from '@escapement/core'

const [n, bursts] = process.argv.slice(2).map(Number)
const server = createServer((_req, res) => res.end('ok')).listen(0, '127.0.0.1')
await once(server, 'listening')
const scheduler = createScheduler()
const delay = monitorEventLoopDelay({ resolution: 1 })
let [runs, seen] = [0, 0]
for (let i = 0; i < n; i++) {
  scheduler.job(`job-${i}`, '*/4 * * * * *', async () => {
    if (++runs % n > 0) return
    const ended = Date.now()
    setImmediate(() => {
      process.send({ due: Math.floor(ended / 4000) * 4000, ended, longest: delay.max / 1e6 })
      delay.reset()
      if (++seen === bursts) void scheduler.stop()
    })
  })
}
// All of the first burst, or nothing of it.
await new Promise((resolve) => setTimeout(resolve, 4500 - (Date.now() % 4000)))
await scheduler.start()
process.send({ port: server.address().port })
delay.enable()
