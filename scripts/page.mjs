// The files of a page as a module: `import files from '../page/main.page'` gives each built file by its name. Scripts and
// styles carry a hash in their names, and the index names them by relative URLs.
import { dirname } from 'node:path'
import { build } from 'esbuild'

/** A plugin of rolldown and vite. `main.page` stands for the `main.tsx` and `index.html` beside it. */
export function page() {
  return {
    name: 'page',
    resolveId: {
      filter: { id: /\.page$/ },
      handler(id, importer) {
        return id.endsWith('.page') ? new URL(id, `file://${importer}`).pathname : undefined
      },
    },
    load: {
      filter: { id: /\.page$/ },
      async handler(id) {
        if (!id.endsWith('.page')) return
        const files = await filesOf(dirname(id))
        return { code: `export default ${JSON.stringify(files)}`, moduleType: 'js' }
      },
    },
  }
}

async function filesOf(folder) {
  const { outputFiles } = await build({
    entryPoints: { app: `${folder}/main.tsx` },
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'safari16'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.svg': 'file', '.html': 'text' },
    legalComments: 'none',
    outdir: '/assets',
    write: false,
    // The package says that its modules have no side effects; those of the page do.
    ignoreAnnotations: true,
  })
  const files = {}
  for (const file of outputFiles) files[file.path.split('/').at(-1)] = file.text
  return files
}
