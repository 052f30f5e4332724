import { copyFile, mkdtemp, rm, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inOrder, start } from './child.ts'

/** How a process is ended from outside: by signals, by a process manager, by `node --watch`. */
export function signals(app: URL, framework: string): void {
  const play = (settings: object, env = {}) =>
    start([app.pathname, framework, '["serve"]', JSON.stringify(settings)], env)
  const on = { options: { signals: true } }

  describe.concurrent(`${framework}: signals`, () => {
    it.each(['SIGTERM', 'SIGINT'] as const)('%s closes, drains, and ends the process', async (signal) => {
      using child = play({ ...on, open: true })
      await child.until('serving')
      child.kill(signal)
      expect(await child.end).toEqual({ code: null, signal })
      expect(child.told).toSatisfy(() => inOrder(child.told, 'serving', 'drain', 'settled', 'stop', 'closed'))
      expect(child.find('settled')).toMatchObject({ outcome: 'succeeded' })
    })

    it('do what they do without the option', async () => {
      using child = play({})
      await child.until('serving')
      child.kill('SIGTERM')
      expect(await child.end).toEqual({ code: null, signal: 'SIGTERM' })
      expect(child.events).not.toContain('drain')
    })

    it('end the process at once the second time', async () => {
      using child = play({ ...on, ms: 60_000 })
      await child.until('serving')
      child.kill('SIGTERM')
      await child.until('drain')
      // Until one comes late enough not to be an echo of the first.
      const again = setInterval(() => child.kill('SIGTERM'), 100)
      expect(await child.end).toEqual({ code: null, signal: 'SIGTERM' })
      clearInterval(again)
      expect(child.events).not.toContain('settled')
      const text = 'the process ends with runs under way: SIGTERM came a second time'
      expect(child.told).toContainEqual(expect.objectContaining({ level: 'error', text, jobs: ['work'] }))
    })

    it('that come twice within a moment are one', async () => {
      using child = play(on)
      await child.until('serving')
      child.kill('SIGINT')
      child.kill('SIGTERM')
      await child.end
      expect(child.find('settled')).toMatchObject({ outcome: 'succeeded' })
    })

    it('make it not ready for a while before the server closes', async () => {
      using child = play({ options: { signals: { delay: '1s', exitCode: 0 } }, quiet: true })
      const { port } = await child.until('serving')
      const probe = async (path: string) => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })
        return { status: response.status, ...((await response.json()) as object) }
      }
      expect(await probe('/healthz')).toMatchObject({ status: 200, ready: true, live: true })
      child.kill('SIGTERM')
      await expect.poll(() => probe('/healthz')).toMatchObject({ status: 503, ready: false, live: true })
      expect(await probe('/livez')).toMatchObject({ status: 200, live: true })
      expect(child.events).not.toContain('drain')
      expect(await child.end).toEqual({ code: 0, signal: null })
      expect(child.told).toSatisfy(() => inOrder(child.told, 'serving', 'drain', 'stop', 'exit'))
    })

    it('end process 1 with their code', async () => {
      using child = play({ ...on, pid: 1 })
      await child.until('serving')
      child.kill('SIGTERM')
      expect(await child.end).toEqual({ code: 143, signal: null })
      expect(child.find('settled')).toMatchObject({ outcome: 'succeeded' })
    })

    it('end the process beside others that listen to them and do nothing', async () => {
      using child = play({ ...on, others: ['SIGTERM'], open: true })
      await child.until('serving')
      child.kill('SIGTERM')
      expect(await child.end).toEqual({ code: 143, signal: null })
      expect(child.find('settled')).toMatchObject({ outcome: 'succeeded' })
    })

    it('clean up when all is drained and closed, and end the process after that', async () => {
      using child = play({ options: {}, cleanup: 300, open: true })
      await child.until('serving')
      child.kill('SIGTERM')
      expect(await child.end).toEqual({ code: null, signal: 'SIGTERM' })
      const way = ['drain', 'settled', 'stop', 'closed', 'cleaning', 'cleaned'] as const
      expect(child.told).toSatisfy(() => inOrder(child.told, ...way))
    })

    it('end the process when its cleanup does not end', async () => {
      using child = play({ options: {}, cleanup: 600_000, open: true })
      await child.until('serving')
      child.kill('SIGTERM')
      expect(await child.end).toEqual({ code: null, signal: 'SIGTERM' })
      expect(child.events).toContain('cleaning')
      expect(child.events).not.toContain('cleaned')
    })

    it('are heard once by others who listen, and end the process when they are through', async () => {
      using child = play({ ...on, others: ['SIGTERM'] })
      await child.until('serving')
      child.kill('SIGTERM')
      expect(await child.end).toEqual({ code: 143, signal: null })
      expect(child.events.filter((event) => event === 'other')).toHaveLength(1)
    })

    it('cut connections that stay open', async () => {
      using child = play({ options: { signals: { linger: '100ms', exitCode: 0 } }, stream: true })
      await child.until('serving')
      child.kill('SIGTERM')
      expect(await child.end).toEqual({ code: 0, signal: null })
      expect(child.told).toSatisfy(() => inOrder(child.told, 'drain', 'settled', 'stop', 'exit'))
    })

    it('of PM2: SIGINT, and SIGKILL after its kill_timeout of 1.6 s', async () => {
      using child = play({ ...on, open: true })
      await child.until('serving')
      child.kill('SIGINT')
      const killing = setTimeout(() => child.kill('SIGKILL'), 1600)
      expect(await child.end).toEqual({ code: null, signal: 'SIGINT' })
      clearTimeout(killing)
      expect(child.find('settled')).toMatchObject({ outcome: 'succeeded' })
    })

    it('of node --watch, when a file changes: drains, then starts the new version', async () => {
      const folder = await mkdtemp(join(dirname(app.pathname), '.watched-'))
      try {
        const file = join(folder, 'app.mjs')
        await copyFile(new URL('watched.mjs', import.meta.url), file)
        using child = start(['--watch', file, app.pathname, framework, '["serve"]', JSON.stringify(on)])
        await child.until('serving')
        await utimes(file, new Date(), new Date())
        await child.until('serving', undefined, 2)
        expect(child.told).toSatisfy(() =>
          inOrder(child.told, 'serving', 'drain', 'settled', 'stop', 'closed', 'start', 'serving'),
        )
        expect(child.find('settled')).toMatchObject({ outcome: 'succeeded' })
        child.kill('SIGTERM')
        await child.end
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  })
}
