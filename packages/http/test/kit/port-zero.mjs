// A server on a port given by the system, and a scheduler that is attached before it listens, after that, or later.
import { once } from 'node:events'
import http from 'node:http'
import { say, sleep } from './stage.mjs'

async function attachTo(server) {
  const { createScheduler } = await import('@escapement/core')
  const { attach } = await import('@escapement/http')
  const scheduler = createScheduler({ logger: { debug() {}, info() {}, warn() {}, error() {} } })
  scheduler.on('start', () => say('start', { after: performance.now() - server.since }))
  attach(scheduler, server)
  return scheduler
}

const ways = {
  async before(server) {
    await attachTo(server)
    await once(server.listen(0), 'listening')
  },
  async after(server) {
    await once(server.listen(0), 'listening')
    await attachTo(server)
  },
  async later(server) {
    await once(server.listen({ port: 0, host: '127.0.0.1' }), 'listening')
    // Time is the subject: the scheduler is attached long after.
    await sleep(600)
    await attachTo(server)
  },
}

const server = http.createServer()
server.on('listening', () => {
  server.since = performance.now()
})
await ways[process.argv[2]](server)
say('attached', { after: performance.now() - server.since })
setTimeout(() => server.close(), 2_500)
