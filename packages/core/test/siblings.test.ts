import { createScheduler, type Lock } from '@escapement/core'
import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => vi.unstubAllEnvs())

async function warnings(lock?: Lock): Promise<string[]> {
  const lines: string[] = []
  const warn = (_: unknown, text: string) => lines.push(text)
  const logger = { debug() {}, info() {}, warn, error: warn }
  const scheduler = createScheduler({ logger, plugins: lock ? [{ name: 'lock', lock }] : [] })
  await scheduler.start()
  await scheduler.stop()
  return lines
}

it('warns when PM2 shows several instances and no lock plugin is given', async () => {
  expect(await warnings()).toEqual([])
  vi.stubEnv('NODE_APP_INSTANCE', '0')
  expect(await warnings()).toEqual([])
  vi.stubEnv('NODE_APP_INSTANCE', '2')
  expect(await warnings()).toEqual([
    'this process is PM2 instance 2: without a lock plugin each runs every tick',
  ])
  const refuse: Lock = { claim: async () => ({ granted: false, reason: 'claimed-elsewhere' }) }
  expect(await warnings(refuse)).toEqual([])
})
