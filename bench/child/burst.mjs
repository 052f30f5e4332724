// HTTP latency of a process in which 100,000 jobs fall due together, and the longest time its loop was blocked.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createScheduler } from '@escapement/core'

const n = Number(process.argv[2])
const server = createServer((_req, res) => res.end('ok')).listen(0, '127.0.0.1')
await once(server, 'listening')
const scheduler = createScheduler()
const due = Math.ceil((Date.now() + 6000) / 1000) * 1000
let runs = 0
const { at } = await import('@escapement/core')
for (let i = 0; i < n; i++) scheduler.job(`job-${i}`, at(new Date(due)), async () => void runs++)
await scheduler.start()
process.send({ port: server.address().port, due })
await new Promise((resolve) => setTimeout(resolve, due - Date.now() - 200))
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
while (runs < n) await new Promise((resolve) => setTimeout(resolve, 20))
delay.disable()
process.send({ runs, took: Date.now() - due, longest: delay.max / 1e6 })
