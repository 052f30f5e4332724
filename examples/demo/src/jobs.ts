import { after, type JobOptions, type Run, type TriggerSpec } from '@escapement/core'
import { exportSchema } from './customers.ts'
import { importFeeds, pullOrders, reindex, syncCrm } from './handlers.ts'
import { about, pass, type World } from './work.ts'

/** A made-up job of a shop. */
export interface DemoJob extends JobOptions {
  readonly when: TriggerSpec
  /** How long a run takes, in ms; or what it does. */
  readonly work: number | ((run: Run, world: World) => Promise<unknown>)
}

const BERLIN = 'Europe/Berlin'
const FINANCE = { owner: 'Finance', group: 'billing', timezone: BERLIN }
const SHOP = { owner: 'Shop', group: 'shop' }
const OPS = { owner: 'Platform', group: 'operations', timezone: BERLIN }
const SEARCH = { owner: 'Search', group: 'search' }
const MAIL = { owner: 'Marketing', group: 'mail', timezone: BERLIN }

const runbook = (name: string) => `https://example.com/runbooks/${name}`

/** Jobs that run at most once a day: their past is long. */
export const SELDOM: Readonly<Record<string, DemoJob>> = {
  'nightly-backup': {
    ...OPS,
    when: '30 2 * * *',
    work: 18 * 60_000,
    description: 'Copies the database to another region',
    runbook: runbook('backup'),
  },
  'verify-backup': { ...OPS, when: after('nightly-backup'), work: 4 * 60_000 },
  'reconcile-ledger': {
    ...FINANCE,
    when: '0 3 * * *',
    work: 150_000,
    description: 'Compares the ledger with the bank',
    runbook: runbook('ledger'),
  },
  invoices: { ...FINANCE, when: '15 4 * * *', work: 260_000, description: 'Makes the invoices of the day' },
  'mail-invoices': { ...FINANCE, when: after('invoices'), work: 95_000, retry: 2 },
  'archive-invoices': { ...FINANCE, when: after('mail-invoices'), work: 20_000 },
  'sales-report': { ...SHOP, when: '15 6 * * *', timezone: 'America/New_York', work: 48_000 },
  newsletter: { ...MAIL, when: '0 9 * * 1-5', work: 11 * 60_000 },
  'rotate-keys': { ...OPS, when: '0 4 * * 0', work: 6_000 },
  payroll: { ...FINANCE, when: '0 6 1 * *', work: 9 * 60_000, description: 'Hands the salaries to the bank' },
  'rebuild-recommendations': {
    ...SEARCH,
    when: '0 5 * * 6',
    timezone: BERLIN,
    work: reindex,
    description: 'Learns from all orders what is bought together',
  },
}

/** Jobs that run often: their past is a week. */
export const OFTEN: Readonly<Record<string, DemoJob>> = {
  'pull-orders': {
    ...SHOP,
    when: '*/10 * * * *',
    work: pullOrders,
    retry: { retries: 3, delay: '5s' },
    timeout: '2m',
    description: 'Fetches new orders from the marketplace',
  },
  'sync-crm': {
    ...SHOP,
    owner: 'Sales IT',
    when: '*/15 * * * *',
    work: syncCrm,
    retry: { retries: 2, delay: '20s' },
    description: 'Sends changed customers to the CRM',
    runbook: runbook('crm'),
  },
  'import-feeds': { ...SHOP, when: '20 * * * *', work: importFeeds, timeout: '15m' },
  'refresh-prices': { ...SHOP, when: '5 * * * *', work: 75_000 },
  'stock-levels': { ...SHOP, when: '*/30 * * * *', work: 22_000 },
  'fraud-scan': { ...FINANCE, when: '*/30 * * * *', work: 41_000 },
  'index-products': { ...SEARCH, when: '10 */2 * * *', work: 24 * 60_000 },
  'warm-cache': { ...SEARCH, when: '*/20 * * * *', work: 13_000 },
  'send-mails': { ...MAIL, when: '*/15 * * * *', work: 8_000 },
  'clean-sessions': { ...OPS, when: '45 */3 * * *', work: 31_000 },
  'check-certificates': { ...OPS, when: '0 */6 * * *', work: 3_500 },
  thumbnails: { ...SHOP, when: '*/20 * * * *', work: 52_000, overlap: 'queue' },
  'export-customers': {
    ...SHOP,
    owner: 'Sales IT',
    when: '0 7 * * *',
    timezone: BERLIN,
    schema: exportSchema as never,
    data: { format: 'csv', limit: 1_000, dryRun: false },
    work: 64_000,
    description: 'Customers as a file; ask for one of your own with Run now',
  },
}

/** Jobs of seconds: their past is an hour. */
export const STEADY: Readonly<Record<string, DemoJob>> = {
  'queue-depth': { ...OPS, when: '*/20 * * * * *', work: 700, description: 'Measures how much mail waits' },
}

/** What a run of the job does. */
export function handlerOf({ work }: DemoJob, world: World): (run: Run) => Promise<unknown> {
  return async (run) => {
    if (typeof work === 'function') return work(run, world)
    const ms = about(run, work)
    await pass(world, run, ms)
    return undefined
  }
}
