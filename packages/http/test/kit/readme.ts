import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { start } from './child.ts'

/** What the sample of a README needs around it: its report takes until the process ends. */
const STAGE = `
const buildReport = ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
const tell = (event, more) => console.log(JSON.stringify({ event, ...more }))
`

/** The sample of a README is run as it stands, but for the port, with each version of a framework. */
export function readmeSample(framework: string, versions: readonly string[], test: URL): void {
  describe.concurrent('the sample of the README', () => {
    it.each(versions)('serves requests for runs, and survives those it refuses: %s', async (version) => {
      const readme = await readFile(new URL('../README.md', test), 'utf8')
      const sample = /```ts\n(import \{ createScheduler[\s\S]+?)```/.exec(readme)?.[1] ?? ''
      const folder = await mkdtemp(fileURLToPath(new URL('.readme-', test)))
      try {
        const code = sample
          .replace(`from '${framework}'`, `from '${version}'`)
          .replace('app.listen(3000)', "app.listen(0, function () { tell('listens', this.address()) })")
        expect(code).not.toBe(sample)
        await writeFile(`${folder}/app.mjs`, `${code}${STAGE}`)
        using child = start([`${folder}/app.mjs`])
        const { port } = await child.until('listens')
        const ask = async () =>
          (
            await fetch(`http://127.0.0.1:${port}/reports`, {
              method: 'POST',
              headers: { connection: 'close' },
            })
          ).status
        expect(await ask()).toBe(202)
        // 1,000 may wait while the first one is under way.
        const statuses: number[] = []
        for (let i = 0; i < 20; i++) statuses.push(...(await Promise.all(Array.from({ length: 52 }, ask))))
        expect(statuses.filter((status) => status === 202)).toHaveLength(1000)
        expect(statuses.filter((status) => status === 429)).toHaveLength(40)
        const health = await fetch(`http://127.0.0.1:${port}/healthz`, { headers: { connection: 'close' } })
        expect(health.status).toBe(200)
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  })
}
