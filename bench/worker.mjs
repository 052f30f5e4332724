// HTTP latency while a job computes for two seconds: in the server's thread, and in one of its own.
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { createScheduler, manual } from '@escapement/core'
import { worker } from '@escapement/worker'
import compute from './worker-job.mjs'

const server = createServer((_req, res) => res.end('ok')).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${server.address().port}/`
const scheduler = createScheduler()
scheduler.job('inline', manual(), compute)
scheduler.job('thread', manual(), worker(new URL('./worker-job.mjs', import.meta.url)))

// Latency counts from the moment a request was due, also when this process was too busy to send it.
const request = (begun = performance.now()) =>
  new Promise((resolve, reject) => {
    get(url, (res) => res.resume().on('end', () => resolve(performance.now() - begun))).on('error', reject)
  })

async function measure(name, ms = 3000) {
  const latencies = []
  const begun = performance.now()
  if (name !== 'idle') setTimeout(() => scheduler.run(name, { ms: 2000 }), 500)
  const pending = []
  for (let due = begun; due < begun + ms; due += 10) {
    while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, 1))
    pending.push(request(due).then((latency) => latencies.push(latency)))
  }
  await Promise.all(pending)
  latencies.sort((a, b) => a - b)
  const at = (q) => latencies[Math.floor(latencies.length * q)].toFixed(1).padStart(9)
  console.log(`${name.padEnd(8)} p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   max ${at(0.9999)} ms`)
}

await request()
for (const name of ['idle', 'inline', 'thread']) await measure(name)
server.close()
