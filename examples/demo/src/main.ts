/** `npm run demo`: the page on a made-up fleet. Three instances, with a past of months, go on from now. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dashboard } from '@escapement/dashboard'
import { toNode } from '@escapement/http'
import { instance, register } from './fleet.ts'
import { OFTEN, SELDOM, STEADY } from './jobs.ts'
import { playPast } from './past.ts'

async function main() {
  // In memory, where the system has such a folder: the past is many small writes.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'escapement-demo-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'jobs.db')
  const began = Date.now()
  console.log('a fleet lives through its past …')
  await playPast(file, began)

  const world = { clock: realClock, present: began }
  const fleet = ['shop-1', 'shop-2', 'shop-3'].map((name) => {
    const scheduler = instance({ file, name, version: '4.2.0', world })
    register(scheduler, { ...SELDOM, ...OFTEN, ...STEADY }, world)
    return scheduler
  })
  const [first] = fleet
  if (!first) return
  const page = dashboard(first, { title: 'Shop' })
  for (const scheduler of fleet) await scheduler.start()
  await first.run('rebuild-recommendations', undefined, { by: 'mei', reason: 'the categories are new' })

  const server = createServer(toNode(page))
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    console.log(
      `after ${((Date.now() - began) / 1_000).toFixed(1)} s: http://localhost:${port}/?token=${page.token}`,
    )
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      server.closeAllConnections()
      await Promise.all(fleet.map((scheduler) => scheduler.stop({ grace: '100ms' })))
      process.exit()
    })
  }
}

const realClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
  clearTimeout: (timer: object) => clearTimeout(timer as NodeJS.Timeout),
  setImmediate: (callback: () => void) => void setImmediate(callback),
}

void main()
