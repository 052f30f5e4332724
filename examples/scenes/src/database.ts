import { createHash } from 'node:crypto'
import { mkdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Database {
  orders: string
  report: string
}

/** Nothing was stored for so long: no instance works on it, in ms. */
const LEFT = 600_000

/**
 * The files that stand for the app's database. Instances with one Redis share them, as those of an app do: what one
 * has pulled, another one reports and mails.
 *
 * @param own The folder of this instance.
 */
export async function openDatabase(own: string, redisUrl: string | undefined): Promise<Database> {
  const key = redisUrl && createHash('sha256').update(redisUrl).digest('hex').slice(0, 12)
  const folder = key ? join(tmpdir(), `escapement-database-${key}`) : own
  const database = { orders: join(folder, 'orders.jsonl'), report: join(folder, 'report.json') }
  if (await isLeft(database.orders)) await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return database
}

async function isLeft(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > LEFT
}
