// Makes the JavaScript of a package, one file for each of its entries: a scheduler is imported at every start of
// an app, and sixty small files take four times as long to load. The types are tsc's.
// node scripts/bundle.mjs [folder of the package]: default the current one.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { rolldown } from 'rolldown'

const folder = resolve(process.argv[2] ?? '.')
const { exports, bin = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const entries = [
  ...Object.values(exports).map((entry) => entry.default),
  ...Object.values(bin),
  './dist/thread.js',
]
const input = {}
for (const entry of entries) {
  const name = /^\.\/dist\/(.+)\.js$/.exec(entry ?? '')?.[1]
  const source = join(folder, `src/${name}.ts`)
  if (name && existsSync(source)) input[name] = source
}
const bundle = await rolldown({
  input,
  cwd: folder,
  // Only what the package itself holds is bundled.
  external: /^[^./]/,
  platform: 'node',
  tsconfig: 'tsconfig.json',
})
await bundle.write({
  dir: 'dist',
  format: 'esm',
  chunkFileNames: 'shared-[hash].js',
  comments: { jsdoc: false, annotation: false },
})
await bundle.close()
