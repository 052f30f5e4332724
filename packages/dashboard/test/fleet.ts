import {
  after,
  createScheduler,
  every,
  type Handler,
  type JobOptions,
  manual,
  type Scheduler,
  type Schema,
} from '@escapement/core'
import { type Dashboard, dashboard } from '../src/index.ts'

/** A name may be markup. */
export const MARKUP = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`
/** With bidi and terminal escapes. */
const HOSTILE = `${MARKUP} \u202egnp.exe \u001b[31mred\u001b[0m`

export interface FleetOptions {
  /** Default `'operator'`. */
  role?: 'viewer' | 'operator'
  /** Further jobs. Default 0. */
  jobs?: number
}

export interface TestFleet {
  readonly scheduler: Scheduler
  readonly page: Dashboard
  /** Of the runs that have been asked for, by their jobs. */
  readonly runs: Readonly<Record<string, string>>
}

const GROUPS = ['billing', 'search', 'shop', 'mail', 'operations', 'reports']
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** A real scheduler with a bit of history, and the page on it. */
export async function testFleet({ role = 'operator', jobs = 0 }: FleetOptions = {}): Promise<TestFleet> {
  const scheduler = createScheduler({ logger: quiet, timezone: 'Europe/Berlin', version: '4.2.0' })
  register(scheduler)
  for (let i = 0; i < jobs; i++)
    scheduler.job(`job-${i}`, every('1h'), { group: GROUPS[i % GROUPS.length] as string }, () => {})
  await scheduler.start()
  const runs: Record<string, string> = {}
  const asked = { by: 'ann', reason: 'the bank was late' }
  for (const name of ['invoices', 'exchange-rates', MARKUP])
    runs[name] = (await scheduler.run(name, undefined, { wait: true, ...asked })).id
  runs.reindex = (await scheduler.run('reindex')).id
  await scheduler.pause('newsletter', { by: 'mei', reason: HOSTILE })
  const page = dashboard(scheduler, { title: 'Shop', auth: () => ({ actor: 'ann', role }) })
  return { scheduler, page, runs }
}

function register(scheduler: Scheduler): void {
  const add = (name: string, when: Parameters<Scheduler['job']>[1], options: JobOptions, handler: Handler) =>
    scheduler.job(name, when, options as JobOptions & { schema?: undefined }, handler)
  add('invoices', '0 3 * * *', { group: 'billing', owner: 'Finance' }, () => ({ made: 12, list: [1, null] }))
  add('dunning', after('invoices'), { group: 'billing' }, () => {})
  add('newsletter', '30 2 * * *', { group: 'mail' }, () => {})
  add('exchange-rates', every('1h'), { group: 'shop', retry: { retries: 1, delay: 1 } }, rates)
  add('export', manual(), { group: 'shop', schema: exportSchema }, (run) => run.data)
  add('reindex', manual(), { group: 'search' }, reindex)
  add(MARKUP, manual(), { description: HOSTILE, owner: HOSTILE, data: { [HOSTILE]: HOSTILE } }, hostile)
}

const rates: Handler = (run) => {
  run.log.warn({ bank: 'ecb' }, 'the bank does not answer')
  const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.4.7:443'), { code: 'ECONNREFUSED' })
  throw new Error('no rates', { cause: refused })
}

const hostile: Handler = (run) => {
  run.log.warn({ [HOSTILE]: HOSTILE }, `\u001b[33mslow\u001b[0m ${HOSTILE}`)
  run.log.error({}, 'x'.repeat(16_384))
  throw new Error(HOSTILE, { cause: new Error(HOSTILE) })
}

/** Until it is cancelled. */
const reindex: Handler = (run) => {
  run.log.info({ shards: 8 }, 'reading all orders')
  run.progress(0.4, 'shard 3 of 8')
  return new Promise((_, reject) => {
    run.signal.addEventListener('abort', () => reject(run.signal.reason))
  })
}

const input = {
  type: 'object',
  required: ['format'],
  properties: {
    format: { type: 'string', enum: ['csv', 'json'], default: 'csv' },
    limit: { type: 'integer', minimum: 1, maximum: 10 },
    dryRun: { type: 'boolean' },
  },
}

/** With a JSON Schema, as zod and others give it. */
const exportSchema = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) => ({ value }),
    jsonSchema: { input: () => input },
  },
} as Schema
