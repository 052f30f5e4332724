// Makes before/escapement.js, the version before, of a commit: node compat/bundle.mjs <commit>
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const [commit] = process.argv.slice(2)
if (!commit) throw new Error('expected a commit: node compat/bundle.mjs f3dfe98')
const root = fileURLToPath(new URL('..', import.meta.url))
const git = (...args) => execFileSync('git', args, { cwd: root, maxBuffer: 1e9 })
const hash = git('rev-parse', '--short=12', `${commit}^{commit}`).toString().trim()
const PACKAGES = ['core', 'sqlite', 'postgres', 'redis-lock', 'sql-fleet']

const folder = mkdtempSync(join(tmpdir(), 'before-'))
try {
  execFileSync('tar', ['-x', '-C', folder], { input: git('archive', hash, 'packages', 'tsconfig.base.json') })
  // The packages that the commit needs and that are bundled with it: cron-parser.
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const there = git('ls-tree', '--name-only', hash, 'packages/').toString()
  const packages = PACKAGES.filter((name) => there.includes(`packages/${name}\n`))
  const source = (name) => join(folder, 'packages', name, 'src')
  const { outputFiles } = await build({
    stdin: {
      contents: ['core', 'sqlite', 'postgres', 'redis-lock']
        .map((name) => `export * from '@escapement/${name}'`)
        .join('\n'),
      resolveDir: folder,
    },
    alias: Object.fromEntries(
      packages.flatMap((name) => [
        [`@escapement/${name}/plugin`, join(source(name), 'plugin.ts')],
        [`@escapement/${name}`, join(source(name), 'index.ts')],
      ]),
    ),
    banner: { js: `// Commit ${hash}, made by bundle.mjs.` },
    external: ['ioredis', 'libsql', 'pg', 'redlock'],
    loader: { '.lua': 'text' },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    legalComments: 'inline',
    write: false,
  })
  const out = fileURLToPath(new URL('./before/escapement.js', import.meta.url))
  mkdirSync(fileURLToPath(new URL('./before', import.meta.url)), { recursive: true })
  writeFileSync(out, outputFiles[0].contents)
  console.log(`${out}: ${hash}, ${Math.round(outputFiles[0].contents.length / 1024)} kB`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
