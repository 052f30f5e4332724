import { createWriteStream } from 'node:fs'
import type { Logger, LogMethod } from '@escapement/core'

/** A logger that appends JSON lines to a file, as a service ships them to a log store. */
export function logFile(path: string): Logger & { close(): void } {
  const stream = createWriteStream(path, { flags: 'a' })
  const level =
    (name: string): LogMethod =>
    (fields, message) => {
      const own = typeof fields === 'string' ? { message: fields } : { ...fields, message }
      stream.write(`${JSON.stringify({ time: new Date().toISOString(), level: name, ...own })}\n`)
    }
  return {
    debug: level('debug'),
    info: level('info'),
    warn: level('warn'),
    error: level('error'),
    close: () => stream.close(),
  }
}
