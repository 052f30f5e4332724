import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { start } from './child.ts'

/** Changed code is loaded again in one process, behind a handler that says nothing about itself. */
export function reload(...modules: URL[]): void {
  describe.concurrent('code that is loaded again while the server goes on', () => {
    it.each(modules)('runs each tick once, by one version: %s', async (module) => {
      const kit = fileURLToPath(new URL('reload.mjs', import.meta.url))
      using child = start([kit, module.href])
      expect(await child.end).toEqual({ code: 0, signal: null })
      const ticks = child.told.filter(({ event }) => event === 'tick')
      const first = Number(ticks[0]?.at)
      expect(ticks.map(({ at }) => at)).toEqual(ticks.map((_, i) => first + i * 500))
      const versions = ticks.map(({ version }) => Number(version))
      expect(versions).toEqual(versions.toSorted((a, b) => a - b))
      expect(versions).toEqual(expect.arrayContaining([1, 2, 4]))
      const warnings = child.told.filter(({ event }) => event === 'warn')
      const text = 'a newer scheduler with the same jobs takes over'
      expect(warnings.map((warning) => warning.text)).toEqual([text, text, text])
    })
  })
}
