// Bundles an app that uses all packages with esbuild (ES modules and CommonJS), ncc and webpack, and starts it: it sees a tick run,
// and one in a thread, and ends.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const ncc = join(dirname(require.resolve('@vercel/ncc/package.json')), 'dist/ncc/cli.js')

/** What the READMEs say to leave out of a bundle: a thread needs its own file, and libsql is a binary. */
const EXTERNAL = ['@escapement/worker', 'piscina', 'libsql']

const BUNDLERS = {
  'esbuild esm': async (entry, folder) => esbuild(entry, join(folder, 'app.mjs'), 'esm'),
  'esbuild cjs': async (entry, folder) => esbuild(entry, join(folder, 'app.cjs'), 'cjs'),
  async ncc(entry, folder) {
    const external = EXTERNAL.flatMap((name) => ['--external', name])
    execFileSync(process.execPath, [ncc, 'build', entry, '--out', folder, '--quiet', ...external], {
      cwd: dirname(entry),
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return join(folder, 'index.mjs')
  },
  async webpack(entry, folder) {
    const { default: webpack } = await import('webpack')
    const stats = await new Promise((resolve, reject) => {
      const settings = {
        entry,
        context: dirname(entry),
        target: 'node20',
        mode: 'production',
        output: { path: folder, filename: 'app.cjs' },
        externals: Object.fromEntries(EXTERNAL.map((name) => [name, `commonjs ${name}`])),
      }
      webpack(settings, (error, made) => (error ? reject(error) : resolve(made)))
    })
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }))
    return join(folder, 'app.cjs')
  },
}

async function esbuild(entry, outfile, format) {
  const { build } = await import('esbuild')
  // CommonJS packages in a bundle of ES modules ask for require().
  const banner = `import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);`
  await build({
    entryPoints: [entry],
    outfile,
    format,
    bundle: true,
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    logLevel: 'error',
    ...(format === 'esm' && { banner: { js: banner } }),
  })
  return outfile
}

/** @param packages The names of all packages, installed in `folder`. */
export async function smokeBundles(folder, packages) {
  const entry = join(folder, 'bundled.mjs')
  writeFileSync(entry, app(packages))
  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    const out = join(folder, 'bundles', name.replace(' ', '-'))
    mkdirSync(out, { recursive: true })
    const file = await bundle(entry, out)
    writeFileSync(join(out, 'thread.mjs'), `export default (run) => 'thread of ' + run.job.name`)
    const env = { ...process.env, NODE_ENV: 'production' }
    const printed = execFileSync(process.execPath, [file], {
      cwd: folder,
      env,
      encoding: 'utf8',
      timeout: 30_000,
    })
    const lines = printed.split('\n').filter((line) => line.startsWith('bundled '))
    const expected = ['bundled tick', 'bundled thread of threaded', 'bundled closed true']
    for (const line of expected)
      if (!lines.includes(line))
        throw new Error(`${name}: the bundled app did not print "${line}":\n${printed}`)
    console.log(`bundled with ${name}`)
  }
}

const app = (packages) => `
${packages.map((name, i) => `import * as p${i} from '${name}'`).join('\n')}
import { dirname, join } from 'node:path'
import { alerts } from '@escapement/alerts'
import { createScheduler } from '@escapement/express'
import { otel } from '@escapement/otel'
import { prometheus } from '@escapement/prometheus'
import { worker } from '@escapement/worker'
import express from 'express'

const channel = { name: 'none', send() {} }
const scheduler = createScheduler({ plugins: [otel(), prometheus(), alerts({ channels: [channel] })] })
// Beside the bundle, whatever a bundler makes of import.meta.url.
const threaded = worker(join(dirname(process.argv[1]), 'thread.mjs'))
const ran = new Set()
const saw = (name, text) => {
  if (ran.has(name)) return
  console.log('bundled', text)
  if (ran.add(name).size === 2) server.close()
}
scheduler.job('plain', '* * * * * *', () => saw('plain', 'tick'))
scheduler.job('threaded', '* * * * * *', async (run) => saw('threaded', await threaded(run)))
const app = express().use(scheduler.middleware())
const server = app.listen(0)
server.on('close', () => {
  console.log('bundled closed', [${packages.map((_, i) => `p${i}`)}].every((each) => Object.keys(each).length > 0))
})
`
