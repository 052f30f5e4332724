// Packs every package, installs the tarballs in an empty project and uses them from ESM, CommonJS and
// TypeScript of both kinds: finds what is missing in `files`, `exports`, `dependencies` and the types.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './setup.mjs'
import { smokeBundles } from './smoke-bundles.mjs'

const folder = mkdtempSync(join(tmpdir(), 'escapement-smoke-'))
const sh = (command, args, options = {}) =>
  execFileSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  })

const manifests = readdirSync(join(root, 'packages')).map((name) => ({
  folder: join(root, 'packages', name),
  ...JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')),
}))
const libraries = manifests.filter(({ exports }) => exports['.'])
const peers = [
  'express@5',
  'koa@3',
  'ioredis@6',
  'nodemailer@10',
  '@opentelemetry/api@1.9.1',
  'prom-client@15',
  'pg@8',
]
const types = ['typescript@6.0.3', '@types/node@20', '@types/express@5', '@types/koa@3', '@types/pg@8']

try {
  const tarballs = manifests.map((manifest) => {
    const [packed] = JSON.parse(
      sh('npm', ['pack', '--json', '--pack-destination', folder], { cwd: manifest.folder }),
    )
    const strays = packed.files.map(({ path }) => path).filter((path) => /tsbuildinfo|^src|^test/.test(path))
    if (strays.length > 0) throw new Error(`${manifest.name} packs ${strays.join(', ')}`)
    return join(folder, packed.filename)
  })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'smoke', private: true }))
  sh('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs, ...peers, ...types])

  const names = libraries.map(({ name }) => name)
  writeFileSync(
    join(folder, 'esm.mjs'),
    `${names.map((name, i) => `import * as p${i} from '${name}'`).join('\n')}
    import express from 'express'
    import { createScheduler } from '@escapement/express'
    const scheduler = createScheduler()
    scheduler.job('smoke', '* * * * * *', (run) => { console.log('esm', run.tick.id.length > 0); server.close() })
    const app = express().use(scheduler.middleware())
    const server = app.listen(0)
    server.on('close', () => console.log('closed', [${names.map((_, i) => `p${i}`)}].every((m) => Object.keys(m).length > 0)))`,
  )
  writeFileSync(
    join(folder, 'cjs.cjs'),
    `${names.map((name) => `require('${name}')`).join('\n')}
    for (const name of [${names.map((name) => `'${name}'`).join(', ')}]) {
      if (!/dist.cjs/.test(require.resolve(name))) throw new Error(name + ' is no CommonJS module')
    }
    const Koa = require('koa')
    const { createScheduler } = require('@escapement/koa')
    const scheduler = createScheduler()
    const { currentRun } = require('@escapement/core')
    const { worker } = require('@escapement/worker')
    const threaded = worker(require.resolve('./thread.cjs'))
    scheduler.job('smoke', '* * * * * *', async (run) => {
      // Two copies in one process share what must be one.
      const other = await import('@escapement/core')
      console.log('cjs', run.tick.id.length > 0, other.currentRun !== currentRun && other.currentRun() === run)
      console.log('worker', await threaded(run))
      server.close()
    })
    const app = new Koa()
    app.use(scheduler.middleware())
    const server = app.listen(0)
    server.on('close', () => console.log('closed'))`,
  )
  writeFileSync(join(folder, 'thread.cjs'), `module.exports = (run) => 'ran ' + run.job.name`)
  const typed = `import express from 'express'
import { type AcceptedRun, createScheduler } from '@escapement/express'
${names.map((name, i) => `import * as p${i} from '${name}'`).join('\n')}
void [${names.map((_, i) => `p${i}`)}]
const scheduler = createScheduler({ timezone: 'UTC' })
scheduler.job('typed', '0 1 * * *', { timeout: '10m', retry: 3 }, async (run) => {
  const id: string = run.id
  const signal: AbortSignal = run.signal
  void [id, signal]
})
// @ts-expect-error no such policy
scheduler.job('wrong', '0 1 * * *', { timeuot: 3 }, () => {})
const app = express()
app.use(scheduler.middleware())
app.post('/', (req, res, next) => {
  req.scheduler
    .run('typed')
    .then(({ id, durable }: AcceptedRun) => res.json({ run: id, durable }))
    .catch(next)
})
`
  for (const kind of ['mts', 'cts']) writeFileSync(join(folder, `typed.${kind}`), typed)
  const options = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    esModuleInterop: true,
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, include: ['typed.*'] }),
  )

  const env = { ...process.env, NODE_ENV: 'production' }
  console.log(sh(process.execPath, ['esm.mjs'], { env, timeout: 20_000 }).trim())
  // require() of ES modules is quiet from 20.19 on.
  console.log(sh(process.execPath, ['cjs.cjs'], { env, timeout: 20_000 }).trim())
  sh(process.execPath, [join(folder, 'node_modules/typescript/bin/tsc'), '-p', '.'], { stdio: 'inherit' })
  console.log('mts and cts compile')
  await smokeBundles(folder, names)
  console.log(
    sh(join(folder, 'node_modules/.bin/escapement'), [
      'next',
      '0 0 LW * *',
      '--tz',
      'Asia/Shanghai',
      '-n',
      '1',
    ]).trim(),
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
