import { show } from './errors.ts'
import { cut, printable, redact } from './text.ts'

/**
 * The part of Standard Schema v1 (standardschema.dev) that is used: what zod, valibot, arktype and others give.
 */
export interface Schema<Output = unknown, Input = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** `userId: expected a string; since: required` */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  try {
    const told = issues.slice(0, MAX_ISSUES).map(({ path, message }) => {
      const where = path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
      return where ? `${where}: ${message}` : message
    })
    return cut(printable(redact(told.join('; '))), 500)
  } catch {
    return show(issues)
  }
}

/** The most issues that are named. */
const MAX_ISSUES = 10
