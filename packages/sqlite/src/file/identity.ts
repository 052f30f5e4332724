import { statSync } from 'node:fs'

/**
 * Names the file that the path leads to now. Another file at the same path has another identity, for as long as
 * the first is open. Undefined when there is none; the same for all that is not a path.
 */
export function identity(file: string): string | undefined {
  if (!isPath(file)) return 'none'
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true })
  return stat && `${stat.dev}:${stat.ino}`
}

/** Not `':memory:'` and not a URI. */
export function isPath(file: string): boolean {
  return file !== ':memory:' && !file.startsWith('file:')
}
