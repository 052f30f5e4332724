import type { Schema } from '@escapement/core'

export interface Export {
  format: 'csv' | 'json'
  since?: string
  limit: number
  dryRun: boolean
}

/** What the page makes a form of. */
const INPUT = {
  type: 'object',
  required: ['format'],
  additionalProperties: false,
  properties: {
    format: { type: 'string', enum: ['csv', 'json'], title: 'Format', default: 'csv' },
    since: { type: 'string', format: 'date', title: 'Changed since', description: 'Empty: all customers' },
    limit: { type: 'integer', minimum: 1, maximum: 100_000, title: 'At most', default: 1_000 },
    dryRun: { type: 'boolean', title: 'Dry run', description: 'Counts only, writes no file', default: false },
  },
}

/** Checks the data of an export, as zod or valibot would. */
export const exportSchema: Schema<Export> = {
  '~standard': {
    version: 1,
    vendor: 'demo',
    validate(value: unknown) {
      const { format = 'csv', since, limit = 1_000, dryRun = false } = (value ?? {}) as Partial<Export>
      if (format !== 'csv' && format !== 'json') return fault('format', 'csv or json')
      if (!Number.isInteger(limit) || limit < 1 || limit > 100_000) return fault('limit', 'from 1 to 100000')
      return { value: { format, limit, dryRun, ...(since !== undefined && { since }) } }
    },
    ...{ jsonSchema: { input: () => INPUT } },
  },
}

const fault = (path: string, expected: string) => ({
  issues: [{ path: [path], message: `expected ${expected}` }],
})
