import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A change of the code that must be noticed: in each file, a text that becomes another. */
export interface Mutation {
  readonly name: string
  readonly edits: readonly (readonly [file: string, find: string, replace: string])[]
}

/** The code under test. */
export type Code = typeof import('@escapement/core') & typeof import('@escapement/redis-lock')

/** Bundles core and redis-lock from their sources, with mutations, and loads them: each call gives modules of their own. */
export async function load(mutations: readonly Mutation[] = []): Promise<Code> {
  const applied = new Set<object>()
  const bundle = await rolldown({
    input: { code: 'virtual:code' },
    external: /^(?!virtual:|\.|\/|@escapement\/)/,
    platform: 'node',
    plugins: [
      {
        name: 'mutations',
        resolveId(id: string) {
          if (id === 'virtual:code') return id
          const found = /^@escapement\/([\w-]+)(?:\/([\w-]+))?$/.exec(id)
          return found ? join(root, `packages/${found[1]}/src/${found[2] ?? 'index'}.ts`) : undefined
        },
        load(id: string) {
          if (id === 'virtual:code')
            return "export * from '@escapement/core'; export * from '@escapement/redis-lock'"
        },
        transform(code: string, id: string) {
          let changed = code.replace(
            "randomBytes(3).toString('hex')",
            'Math.random().toString(16).slice(2, 8)',
          )
          for (const { name, edits } of mutations) {
            for (const edit of edits) {
              const [file, find, replace] = edit
              if (!id.endsWith(file)) continue
              if (!changed.includes(find)) throw new Error(`mutation '${name}': ${file} has no «${find}»`)
              changed = changed.replace(find, () => replace)
              applied.add(edit)
            }
          }
          return changed
        },
      },
    ],
  })
  const name = mutations.map((mutation) => mutation.name.replaceAll(/\W+/g, '-')).join('+') || 'original'
  const dir = join(root, 'simulation/dist/code')
  mkdirSync(dir, { recursive: true })
  const file = `${name}.mjs`
  await bundle.write({ dir, format: 'esm', entryFileNames: file })
  await bundle.close()
  const left = mutations.flatMap(({ edits }) => edits).filter((edit) => !applied.has(edit))
  if (left.length > 0)
    throw new Error(`no file for the mutations of ${left.map(([file]) => file).join(', ')}`)
  return import(`${pathToFileURL(join(dir, file)).href}?${process.pid}.${Date.now()}`) as Promise<Code>
}
