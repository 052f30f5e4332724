import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
// @ts-expect-error a module of JavaScript
import { lua } from '../../scripts/lua.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A change of the code that must be noticed: in each file, a text that becomes another. */
export interface Mutation {
  readonly name: string
  /** The fleet that is to notice it. Default: those over Redis. */
  readonly fleet?: string
  readonly edits: readonly (readonly [file: string, find: string, replace: string])[]
}

/** The code under test. */
export type Code = typeof import('@escapement/core') &
  Pick<typeof import('@escapement/redis-lock'), 'redisLock'> &
  Pick<typeof import('@escapement/sqlite'), 'sqlite'> &
  Pick<typeof import('@escapement/postgres'), 'postgres'>

const PACKAGES = {
  core: '*',
  'redis-lock': '{ redisLock }',
  sqlite: '{ sqlite }',
  postgres: '{ postgres }',
}

/** What stands for `node:crypto`: its random texts come from `Math.random`, which is simulated. */
const CRYPTO = `
export * from 'node:crypto'
const digits = (count) => Array.from({ length: count }, () => Math.floor(Math.random() * 16).toString(16)).join('')
export const randomBytes = (size) => Buffer.from(digits(2 * size), 'hex')
export const randomUUID = () => [8, 4, 4, 4, 12].map(digits).join('-')
`

/**
 * What stands for core's way to it. The one random id that core draws tells processes apart and is kept by its module, which
 * all simulations share: a constant, so that the first of them draws no more than the others.
 */
const CORE_CRYPTO = `
import * as simulated from 'node:crypto'
const randomUUID = () => '00000000-0000-4000-8000-000000000000'
export const crypto = () => ({ ...simulated, randomUUID })
`

let loads = 0

/** Bundles core and the plugins from their sources, with mutations, and loads them: each call gives modules of their own. */
export async function load(mutations: readonly Mutation[] = []): Promise<Code> {
  const applied = new Set<object>()
  const mutate = (code: string, id: string) => {
    let changed = code
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
  }
  const bundle = await rolldown({
    input: { code: 'virtual:code' },
    external: /^(?!virtual:|node:crypto$|\.|\/|@escapement\/)/,
    platform: 'node',
    plugins: [
      {
        name: 'mutations',
        resolveId(id: string, importer: string | undefined) {
          if (id === 'virtual:code') return id
          if (id === 'node:crypto')
            return importer === 'virtual:crypto' ? { id, external: true } : 'virtual:crypto'
          const found = /^@escapement\/([\w-]+)(?:\/([\w-]+))?$/.exec(id)
          return found ? join(root, `packages/${found[1]}/src/${found[2] ?? 'index'}.ts`) : undefined
        },
        load(id: string) {
          if (id === 'virtual:crypto') return CRYPTO
          if (id.endsWith('core/src/util/crypto.ts')) return CORE_CRYPTO
          if (id === 'virtual:code')
            return Object.entries(PACKAGES)
              .map(([name, what]) => `export ${what} from '@escapement/${name}'`)
              .join('\n')
        },
        transform: (code: string, id: string) => (id.endsWith('.lua') ? code : mutate(code, id)),
      },
      lua(mutate),
    ],
  })
  const name = mutations.map((mutation) => mutation.name.replaceAll(/\W+/g, '-')).join('+') || 'original'
  const dir = join(root, 'simulation/dist/code')
  mkdirSync(dir, { recursive: true })
  // Two runs at one time do not write one file.
  const file = `${name}-${process.pid}-${loads++}.mjs`
  await bundle.write({ dir, format: 'esm', entryFileNames: file })
  await bundle.close()
  const left = mutations.flatMap(({ edits }) => edits).filter((edit) => !applied.has(edit))
  if (left.length > 0)
    throw new Error(`no file for the mutations of ${left.map(([file]) => file).join(', ')}`)
  try {
    return (await import(pathToFileURL(join(dir, file)).href)) as Code
  } finally {
    rmSync(join(dir, file))
  }
}
