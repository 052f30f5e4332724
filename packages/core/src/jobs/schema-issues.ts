import { show } from '../errors.ts'
import { cut, printable, redact } from '../text.ts'
import type { SchemaIssue } from '../types/index.ts'

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
