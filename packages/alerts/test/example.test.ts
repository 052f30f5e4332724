import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createScheduler } from '@escapement/core'
import { expect, test } from 'vitest'
import { alerts } from '../src/index.ts'
import { ntfy } from './example/ntfy.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

test('the channel of the docs sends, and is tried again when it fails', async () => {
  const got: unknown[] = []
  let status = 500
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    response.writeHead(status).end()
    if (status === 200) got.push(JSON.parse(body))
    status = 200
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const plugin = alerts({ channels: [ntfy({ topic: 'my-jobs', url })], backoff: 1 })
  const scheduler = createScheduler({ logger: silent, plugins: [plugin] })
  scheduler.job('clean-logs', '0 3 * * *', () => {
    throw new Error('no such folder')
  })
  await scheduler.start()
  await scheduler.run('clean-logs', undefined, { wait: true })
  await scheduler.stop()
  server.close()
  expect(got).toEqual([
    {
      topic: 'my-jobs',
      title: 'clean-logs',
      priority: 3,
      message: 'clean-logs failed: Error: no such folder',
    },
  ])
  expect(plugin.stats()).toMatchObject({ sent: 1, failed: 0, dropped: 0 })
})

test('it stands in the docs as it is here, and is 20 lines long', () => {
  const file = readFileSync(new URL('./example/ntfy.ts', import.meta.url), 'utf8')
  const docs = readFileSync(new URL('../../../docs/alerts.md', import.meta.url), 'utf8')
  expect(docs).toContain(`\`\`\`ts\n${file}\`\`\``)
  expect(file.trim().split('\n').length).toBeLessThanOrEqual(21)
})
