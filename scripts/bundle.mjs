// Makes the JavaScript of a package, one file for each of its entries: a scheduler is imported at every start of
// an app, and sixty small files take four times as long to load. The types are tsc's.
// ES modules stand in dist, CommonJS in dist/cjs.
// node scripts/bundle.mjs [folder of the package]: default the current one.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import { lua } from './lua.mjs'
import { page } from './page.mjs'

const folder = resolve(process.argv[2] ?? '.')
const { exports, bin = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const entries = [
  ...Object.values(exports).flatMap((entry) => entry.import?.default ?? entry.default ?? []),
  ...Object.values(bin),
  './dist/thread.js',
]
const input = {}
for (const entry of entries) {
  const name = /^\.\/dist\/(.+)\.js$/.exec(entry)?.[1]
  const source = join(folder, `src/${name}.ts`)
  if (existsSync(source)) input[name] = source
}
const bundle = await rolldown({
  input,
  cwd: folder,
  // Only what the package itself holds is bundled.
  external: /^[^./]/,
  platform: 'node',
  plugins: [lua(), page()],
  tsconfig: 'tsconfig.json',
})
const output = { chunkFileNames: 'shared.js', comments: { jsdoc: false, annotation: false } }
const cjs = join(folder, 'dist/cjs')
rmSync(cjs, { recursive: true, force: true })
for (const stale of readdirSync(join(folder, 'dist'))) {
  if (/^shared.*\.js$/.test(stale)) rmSync(join(folder, 'dist', stale))
}
await bundle.write({ ...output, dir: 'dist', format: 'esm' })
await bundle.write({ ...output, dir: 'dist/cjs', format: 'cjs', exports: 'named' })
await bundle.close()
writeFileSync(join(cjs, 'package.json'), '{ "type": "commonjs" }\n')
// The same declarations, read as those of CommonJS modules.
const dist = join(folder, 'dist')
for (const path of readdirSync(dist, { recursive: true })) {
  if (!path.endsWith('.d.ts') || path.startsWith('cjs')) continue
  mkdirSync(dirname(join(cjs, path)), { recursive: true })
  copyFileSync(join(dist, path), join(cjs, path))
}
