import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alerts } from '@escapement/alerts'
import type { Logger, Plugin } from '@escapement/core'
import { email } from '@escapement/email'
import { otel } from '@escapement/otel'
import { redisLock } from '@escapement/redis-lock'
import { createTransport, type Transporter } from 'nodemailer'
import { showMail } from './console.ts'
import { openDatabase } from './database.ts'
import { logFile } from './log-file.ts'
import { openMailbox } from './mailbox.ts'
import { openShop } from './shop.ts'
import { jaegerUrl, startTracing } from './tracing.ts'

/** What the jobs of the examples work on, and the plugins they run with. */
export interface World {
  plugins: Plugin[]
  logger: Logger
  /** Base URL of the shop's API. */
  shop: string
  logs: string
  orders: string
  report: string
  transport: Transporter
  close(): Promise<void>
}

const HOUR = 3_600_000

/**
 * Opens the world: real servers where the environment names them (REDIS_URL, SMTP_URL,
 * OTEL_EXPORTER_OTLP_ENDPOINT, JAEGER_URL), small ones in this process where it does not.
 */
export async function openWorld(serviceName: string): Promise<World> {
  const { REDIS_URL, SMTP_URL } = process.env
  const jaeger = jaegerUrl()
  const folder = await mkdtemp(join(tmpdir(), 'escapement-'))
  const logs = join(folder, 'logs')
  await fillLogs(logs)
  const logger = logFile(join(folder, 'app.log'))
  const stopTracing = startTracing(serviceName)
  const database = await openDatabase(folder, REDIS_URL)
  const shop = await openShop({ from: 14_000, to: 27_000 })
  const mailbox = SMTP_URL ? undefined : await openMailbox(showMail)
  const url = SMTP_URL ?? mailbox?.url ?? ''
  const transport = createTransport(url)
  const channel = email({ url, from: 'jobs@example.com', to: 'ops@example.com' })
  console.log(`locks:  ${REDIS_URL ? 'Redis' : 'this process only (set REDIS_URL for a fleet)'}`)
  console.log(`mails:  ${SMTP_URL ? 'SMTP_URL' : 'shown here (set SMTP_URL to send them)'}`)
  console.log(`traces: ${jaeger ?? 'ids only (set OTEL_EXPORTER_OTLP_ENDPOINT for Jaeger)'}`)
  console.log(`logs:   ${join(folder, 'app.log')} while it runs\n`)
  return {
    plugins: [
      ...(REDIS_URL ? [redisLock({ clients: [REDIS_URL] })] : []),
      // Failures then have a link to their trace: here, in the log and in mails.
      otel({ traceUrl: jaeger ? (id) => `${jaeger}/trace/${id}` : undefined }),
      alerts({ channels: [channel], groupWait: 0, groupInterval: '5s' }),
    ],
    logger,
    shop: shop.url,
    logs,
    ...database,
    transport,
    async close() {
      transport.close()
      shop.close()
      await mailbox?.close()
      await stopTracing()
      logger.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** A folder of logs as a service leaves it: one file for each of the last 40 half-days. */
async function fillLogs(folder: string): Promise<void> {
  await mkdir(folder)
  for (let age = 0; age < 40; age++) {
    const path = join(folder, `service-${String(age).padStart(2, '0')}.log`)
    const written = new Date(Date.now() - age * 12 * HOUR)
    await writeFile(path, `${written.toISOString()} request served\n`.repeat(50 + age * 5))
    await utimes(path, written, written)
  }
}
