import type { Answer } from './http.ts'

/** What was answered, as JSON. These robots report a failure in the body of a 200. */
export function json(answer: Answer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(answer.text)
    if (value && typeof value === 'object') return value as Record<string, unknown>
  } catch {}
  throw answer.refused(`an answer that is no JSON: ${answer.text.slice(0, 100)}`)
}
