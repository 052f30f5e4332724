import type { Host, Plugin } from '@escapement/core'
import { expect, test } from 'vitest'
import { harness as world } from './harness.ts'

const scheduledAt = new Date('2026-11-20T11:00:00Z')

test('an abandoned run of a job that is not registered any more is reported: event, line, history', async () => {
  let host: Host | undefined
  const plugin: Plugin = {
    name: 'fleet',
    setup(given) {
      host = given
    },
  }
  const { scheduler, lines } = world({ plugins: [plugin] })
  const told: string[] = []
  scheduler.on('abandoned', (run) => void told.push(`${run.id} ${run.key} of ${run.instance}`))
  await scheduler.start()
  const tick = { id: 'gone@2026-11-20T11:00:00.000Z', job: 'gone', scheduledAt, fold: 0 }
  host?.abandon(tick, { id: 'run-1', instance: 'web-9', restarts: 1 })
  expect(told).toEqual(['run-1 gone@2026-11-20T11:00:00.000Z of web-9'])
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  expect(JSON.stringify(lines)).toContain('gone')
  expect(await scheduler.history()).toMatchObject([
    { id: 'run-1', job: 'gone', state: 'abandoned', instance: 'web-9' },
  ])
  expect(scheduler.has('gone')).toBe(false)
  expect(scheduler.jobs()).toEqual([])
  await scheduler.stop()
})

test('of a name that no job can have nothing is reported', async () => {
  let host: Host | undefined
  const plugin: Plugin = {
    name: 'fleet',
    setup(given) {
      host = given
    },
  }
  const { scheduler } = world({ plugins: [plugin] })
  const told: string[] = []
  scheduler.on('abandoned', (run) => void told.push(run.key))
  await scheduler.start()
  for (const job of ['', 'a\nb', '\u202ex', 'x'.repeat(201)]) host?.abandon({ id: job, job, scheduledAt }, {})
  expect(told).toEqual([])
  await scheduler.stop()
})
