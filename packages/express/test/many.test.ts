import { once } from 'node:events'
import http from 'node:http'
import { attach, createScheduler, every } from '@escapement/express'
import express from 'express'
import { expect, it, onTestFinished } from 'vitest'

const logger = { debug() {}, info() {}, warn() {}, error() {} }

it('many schedulers, mounts and servers make no warning of listeners', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  const app = express()
  const server = http.createServer(app)
  const schedulers = Array.from({ length: 15 }, (_, i) => {
    const scheduler = createScheduler({ logger })
    scheduler.job(`job-${i}`, every('1h'), () => {})
    for (let mount = 0; mount < 15; mount++) app.use(`/${mount}`, scheduler.middleware({ start: 'always' }))
    for (let call = 0; call < 2; call++)
      attach(scheduler, server, { start: 'always', signals: { on: ['SIGUSR2'] } })
    return scheduler
  })
  express().use('/sub', app)
  const started = schedulers.map((each) => new Promise<void>((resolve) => each.on('start', resolve)))
  server.listen(0)
  await Promise.all(started)
  const closed = once(server, 'close')
  server.close()
  await closed
  await new Promise(setImmediate)
  expect(warnings).toEqual([])
})
