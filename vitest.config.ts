import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
// @ts-expect-error a module of JavaScript
import { lua } from './scripts/lua.mjs'
// @ts-expect-error a module of JavaScript
import { page } from './scripts/page.mjs'

// Tests import the packages by name, as a user would, and run from their sources: no build needed.
const packages = readdirSync(new URL('./packages', import.meta.url))
const alias = packages.flatMap((name) => [
  { find: new RegExp(`^@escapement/${name}$`), replacement: source(name, 'index') },
  // A subpath of a package: `@escapement/core/plugin`.
  { find: new RegExp(`^@escapement/${name}/(\\w+)$`), replacement: source(name, '$1') },
])

function source(name: string, file: string) {
  return fileURLToPath(new URL(`./packages/${name}/src/${file}.ts`, import.meta.url))
}

export default defineConfig({
  plugins: [lua(), page()],
  resolve: { alias },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,examples}/*/test/**/*.test.ts', 'simulation/test/**/*.test.ts'],
          exclude: ['**/*.int.test.ts', '**/node_modules/**'],
          isolate: false,
          // The bound is for a machine that is busy.
          testTimeout: 60_000,
          maxWorkers: '100%',
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        // Real servers and processes.
        test: {
          name: 'integration',
          // `expect.poll()` is how tests wait: the bound is for a machine that is busy, and nobody waits it out.
          expect: { poll: { timeout: 20_000, interval: 10 } },
          // The processes that these tests start run the built packages.
          globalSetup: ['scripts/build-first.mjs'],
          include: ['{packages,examples}/*/test/**/*.int.test.ts', 'compat/test/*.int.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // They wait more than they work.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
