import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { start } from './kit/child.ts'

const script = fileURLToPath(new URL('kit/port-zero.mjs', import.meta.url))

// 'later' waits 600 ms: nothing of the package was there when the server began to listen, so its second begins then.
it.concurrent.each([
  ['before', 0],
  ['after', 0],
  ['later', 600],
])('a server on port 0 stays for a second before jobs start, attached %s it listens', async (way, since) => {
  using child = start([script, way])
  const { after } = await child.until('start')
  expect(after).toBeGreaterThan(since + 950)
  expect(after).toBeLessThan(since + 1_700)
  expect(await child.end).toEqual({ code: 0, signal: null })
})
