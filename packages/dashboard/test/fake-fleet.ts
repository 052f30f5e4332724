/** A fleet with a week behind it, the same each time. */
import type { JobDetail, LogLine, Outcome, RunView } from '../src/page/api/types.ts'

export interface FakeJob {
  view: JobDetail
  readonly every: number
  readonly takes: number
  readonly bad: boolean
}

const MIN = 60_000
const HOUR = 60 * MIN

/** Markup, a script, bidi and terminal escapes. */
export const HOSTILE = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script> \u202egnp.exe \u001b[31mred\u001b[0m`

/** Name, group, owner, minutes between ticks, how long it takes, the schedule, in words. */
const JOBS = [
  ['clean-sessions', 'platform', 'Platform', 15, 4_100, '*/15 * * * *', 'every 15 minutes', '每 15 分钟'],
  ['invoices', 'billing', 'Finance IT', 60, 48_000, '0 * * * *', 'every hour', '每小时'],
  ['dunning', 'billing', 'Finance IT', 360, 130_000, '0 */6 * * *', 'every 6 hours', '每 6 小时'],
  ['pull-orders', 'sales', 'Sales IT', 5, 2_300, '*/5 * * * *', 'every 5 minutes', '每 5 分钟'],
  [
    'newsletter',
    'marketing',
    'Marketing',
    1_440,
    900_000,
    '0 9 * * MON-FRI',
    'at 09:00 on weekdays',
    '工作日 09:00',
  ],
  [
    'reindex',
    'search',
    'Platform',
    120,
    1_500_000,
    '30 */2 * * *',
    'at minute 30 of every 2nd hour',
    '每 2 小时的第 30 分',
  ],
  [
    'backup-database',
    'platform',
    'Platform',
    720,
    2_600_000,
    '30 2,14 * * *',
    'at 02:30 and 14:30',
    '02:30 和 14:30',
  ],
  ['exchange-rates', 'billing', 'Finance IT', 30, 700, '*/30 * * * *', 'every 30 minutes', '每 30 分钟'],
  ['stock-levels', 'sales', 'Sales IT', 10, 9_000, '*/10 * * * *', 'every 10 minutes', '每 10 分钟'],
  ['render-reports', 'reports', 'Data', 180, 420_000, '0 */3 * * *', 'every 3 hours', '每 3 小时'],
  ['expire-carts', 'sales', 'Sales IT', 20, 1_900, '*/20 * * * *', 'every 20 minutes', '每 20 分钟'],
  ['thumbnails', 'media', undefined, 45, 60_000, 'every 45m', 'every 45 minutes', '每 45 分钟'],
  ['sync-crm', 'sales', 'Sales IT', 60, 75_000, '10 * * * *', 'at minute 10 of every hour', '每小时第 10 分'],
  ['certificates', 'platform', 'Platform', 1_440, 3_000, '0 4 * * *', 'at 04:00', '04:00'],
] as const

export function fleet(count: number, hostile: boolean): FakeJob[] {
  const jobs = Array.from({ length: count }, (_, i) => jobOf(i))
  const first = jobs[0]
  if (hostile && first) first.view = { ...first.view, name: HOSTILE, description: HOSTILE, owner: HOSTILE }
  for (const job of jobs) job.view = { ...job.view, ...history(job) }
  return jobs
}

function jobOf(i: number): FakeJob {
  const [name, group, owner, minutes, takes, schedule, en, zh] = JOBS[
    i % JOBS.length
  ] as (typeof JOBS)[number]
  const every = minutes * MIN
  const bad = name === 'exchange-rates' || name === 'sync-crm'
  const paused = { by: 'lee', reason: 'typo in the template' }
  const next = new Date(Math.ceil(Date.now() / every) * every).toISOString()
  return {
    every,
    takes,
    bad: bad && i < 40,
    view: {
      name: i < JOBS.length ? name : `${name}-${Math.floor(i / JOBS.length)}`,
      group,
      ...(owner ? { owner } : {}),
      description: `Keeps ${name.replace('-', ' ')} in order.`,
      runbook: `https://example.com/runbooks/${name}`,
      schedule,
      words: { en, zh },
      timezone: group === 'marketing' ? 'America/New_York' : 'Europe/Berlin',
      ...(name === 'newsletter' ? { paused } : { next }),
      ...(name === 'certificates' && i < 40
        ? { overdue: new Date(Date.now() - 5 * HOUR).toISOString() }
        : {}),
      running: name === 'reindex' || name === 'backup-database' ? 1 : 0,
      usual: takes,
      recent: [],
      failing: false,
      follows: [],
      followers: [],
    },
  }
}

function history(job: FakeJob): Partial<JobDetail> {
  const ended = runsOf(job).filter((run) => run.outcome)
  const [last] = ended
  const recent = ended.slice(0, 30).reverse()
  return {
    failing: ['failed', 'timed-out'].includes(recent.at(-1)?.outcome ?? ''),
    recent: recent.map((run) => ({
      id: run.id,
      outcome: run.outcome as Outcome,
      at: run.scheduledAt,
      ...(run.duration === undefined ? {} : { duration: run.duration }),
    })),
    ...(last?.outcome ? { last: { outcome: last.outcome, at: last.endedAt ?? last.scheduledAt } } : {}),
  }
}

/** A number from 0 to 1 that is the same for the same text. */
function chance(text: string): number {
  let hash = 2_166_136_261
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619)
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507)
  return ((hash ^ (hash >>> 13)) >>> 0) / 4_294_967_296
}

/** The newest first: of 14 hours, or the last 40. */
export function runsOf(job: FakeJob): RunView[] {
  const last = Math.floor(Date.now() / job.every) * job.every
  const count = Math.max(40, Math.ceil((14 * HOUR) / job.every))
  return Array.from({ length: count }, (_, i) => runOf(job, last - i * job.every, i))
}

function runOf(job: FakeJob, at: number, i: number): RunView {
  const { name } = job.view
  const id = `${name.replace(/\W/g, '').slice(0, 20)}-${at / MIN}`
  const luck = chance(id)
  const under = i === 0 && job.view.running > 0
  const outcome: Outcome = job.bad && i < 3 ? 'failed' : outcomeOf(luck, name)
  const began = outcome !== 'skipped' && outcome !== 'missed'
  const duration = Math.round(job.takes * (0.6 + chance(`${id}d`)))
  const started = at + Math.round(luck * 180)
  const error = {
    name: 'Error',
    message: `connect ECONNREFUSED 10.0.4.7:5432\n${name}: ${HOSTILE}`,
    code: 'ECONNREFUSED',
    stack: STACK,
  }
  const failed = began && outcome !== 'succeeded' && !under
  return {
    id,
    key: `${name}@${new Date(at).toISOString()}`,
    job: name,
    scheduledAt: new Date(at).toISOString(),
    cause: luck > 0.97 ? 'manual' : 'schedule',
    state: under ? 'running' : outcome,
    attempt: began ? (failed ? 3 : 1) : 0,
    restarts: 0,
    late: Math.round(luck * 180),
    instance: ['web-1:4711:k3xq9a', 'web-2:4711:p0dm2c'][i % 2] as string,
    fence: 900 - i,
    errors: failed ? [error, error] : [],
    logLines: 40,
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    traceUrl: 'https://example.com/trace/4bf92f35',
    data: {
      region: 'eu',
      since: new Date(at).toISOString(),
      tags: ['night', 'full'],
      limit: 500,
      dry: false,
    },
    ...(luck > 0.97 ? { asked: { by: 'kim', reason: 'customer waits' } } : {}),
    ...(failed ? { error } : {}),
    ...(outcome === 'skipped' && !under ? { reason: 'overlap', count: 3 } : {}),
    ...(began ? { startedAt: new Date(under ? Date.now() - job.takes * 0.7 : started).toISOString() } : {}),
    ...(under
      ? name === 'reindex'
        ? { progress: { fraction: 0.62, note: 'products 31,000 of 50,000', at: new Date().toISOString() } }
        : {}
      : {
          outcome,
          ...(began
            ? {
                duration,
                endedAt: new Date(started + duration).toISOString(),
                result: { rows: 4_211, skipped: null },
              }
            : {}),
        }),
  }
}

function outcomeOf(luck: number, name: string): Outcome {
  if (luck < 0.012) return 'failed'
  if (luck < 0.018) return 'timed-out'
  if (luck < 0.03) return name === 'pull-orders' ? 'skipped' : 'succeeded'
  return luck < 0.034 ? 'missed' : 'succeeded'
}

const STACK = `Error: connect ECONNREFUSED 10.0.4.7:5432
    at fetchRates (/app/src/billing/rates.ts:41:11)
    at async handler (/app/src/billing/jobs.ts:18:20)
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)
    at Client.query (/app/node_modules/pg/lib/client.js:526:17)`

export function logOf(run: RunView): LogLine[] {
  const begin = Date.parse(run.startedAt ?? run.scheduledAt)
  const line = (i: number, level: LogLine['level'], message: string, fields?: LogLine['fields']) =>
    ({ at: new Date(begin + i * 700).toISOString(), level, message, ...(fields ? { fields } : {}) }) as const
  const many = Array.from({ length: 24 }, (_, i) =>
    line(i + 2, i % 5 === 4 ? 'debug' : 'info', `stored batch ${i + 1}`, { rows: 250 }),
  )
  return [
    line(0, 'info', 'opened the connection', { region: 'eu', pool: 4 }),
    line(1, 'warn', `\u001b[33mslow answer\u001b[0m of the shop ${HOSTILE}`, { ms: 2_140 }),
    ...many,
    line(30, 'error', 'x'.repeat(16_384)),
    line(31, 'info', 'closed'),
  ]
}
