import { readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'

export interface Cleaned {
  deleted: number
  kept: number
  freedBytes: number
}

/** Deletes the `.log` files of a folder that were last written more than `olderThanMs` ago. */
export async function cleanLogs(folder: string, olderThanMs: number, signal: AbortSignal): Promise<Cleaned> {
  const cleaned = { deleted: 0, kept: 0, freedBytes: 0 }
  for (const name of await readdir(folder)) {
    signal.throwIfAborted()
    if (!name.endsWith('.log')) continue
    const path = join(folder, name)
    const { mtimeMs, size } = await stat(path)
    if (Date.now() - mtimeMs <= olderThanMs) cleaned.kept++
    else {
      await unlink(path)
      cleaned.deleted++
      cleaned.freedBytes += size
    }
  }
  return cleaned
}
