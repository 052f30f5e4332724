import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MUTATIONS } from '../src/mutations.ts'
import { SQL_MUTATIONS } from '../src/sql/mutations.ts'

test.each([...MUTATIONS, ...SQL_MUTATIONS])(
  '$name: the code that is taken out is still there',
  ({ edits }) => {
    for (const [file, find] of edits) {
      const code = readFileSync(new URL(`../../packages/${file}`, import.meta.url), 'utf8')
      expect(code).toContain(find)
    }
  },
)
