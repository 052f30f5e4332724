/** The API in memory, with a lively fleet: what the page is developed and tested against. */
import type { FetchHandler } from '@escapement/http'
import type { Outcome, RunView } from '../src/page/api/types.ts'
import { type FakeJob, fleet, HOSTILE, logOf, runsOf } from './fake-fleet.ts'

export interface FakeOptions {
  jobs?: number
  role?: 'viewer' | 'operator'
  /** Real code under test gets no events when it is true. */
  silent?: boolean
  hostile?: boolean
}

export interface FakeApi {
  readonly handler: FetchHandler
  /** What the page has asked to be done: method and path, with the body. */
  readonly acts: { method: string; path: string; body: unknown }[]
}

const HOUR = 3_600_000

export function fakeApi({ jobs: count = 14, role = 'operator', hostile = false }: FakeOptions = {}): FakeApi {
  const jobs = fleet(count, hostile)
  const runs = jobs.flatMap((job) => runsOf(job)).sort((a, b) => (a.scheduledAt < b.scheduledAt ? 1 : -1))
  const acts: FakeApi['acts'] = []
  const state = { jobs, runs, role }
  return {
    acts,
    async handler(request, info) {
      const url = new URL(request.url)
      const path = url.pathname.slice(info.base.length + 1)
      if (request.method !== 'GET') {
        const text = await request.text()
        const body = text === '' ? undefined : (JSON.parse(text) as Record<string, string>)
        acts.push({ method: request.method, path, body })
        return change(state, request.method, path, body)
      }
      return path === 'events' ? events() : answer(state, path, url.searchParams)
    },
  }
}

interface State {
  jobs: FakeJob[]
  runs: RunView[]
  role: 'viewer' | 'operator'
}

function events(): Response {
  const stream = new ReadableStream({
    start: (controller) =>
      controller.enqueue(new TextEncoder().encode('retry: 300\nevent: changed\ndata: {}\n\n')),
  })
  return new Response(stream, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
}

const json = (value: unknown, status = 200) =>
  Response.json(value, { status, headers: { 'cache-control': 'no-store' } })
const missing = () =>
  json({ title: 'Not Found', status: 404, detail: 'nothing is known under this name' }, 404)

function change(
  { jobs }: State,
  method: string,
  path: string,
  body: Record<string, string> | undefined,
): Response {
  const [, name = '', what] = path.split('/').map((each) => decodeURIComponent(each).replaceAll('~1', '/'))
  const job = jobs.find((each) => each.view.name === name)
  if (what === 'pause' && job) {
    const { paused: _, ...view } = job.view
    job.view = method === 'DELETE' ? view : { ...view, paused: { by: 'kim', ...body } }
  }
  return json({ id: 'asked' }, 202)
}

function answer({ jobs, runs, role }: State, path: string, query: URLSearchParams): Response {
  const [room = '', id, part] = path.split('/').map((each) => decodeURIComponent(each).replaceAll('~1', '/'))
  if (room === 'overview') return json(overview(runs, role))
  if (room === 'upcoming') return json({ items: upcoming(jobs, query) })
  if (room === 'stats')
    return json({ items: statsOf(jobs.find((job) => job.view.name === query.get('job'))) })
  if (room === 'instances') return json({ items: instances(runs) })
  if (room === 'audit') return json({ items: audit() })
  if (room === 'incidents') return json({ items: incidents(jobs) })
  if (room === 'jobs') {
    if (id === undefined) return json({ items: jobs.map((job) => job.view) })
    const job = jobs.find((each) => each.view.name === id)
    if (!job) return missing()
    if (part === 'upcoming') return json({ items: upcoming([job], query) })
    if (part === 'explain') return json(explanation())
    return json(job.view)
  }
  if (room === 'runs' && id !== undefined) {
    const run = runs.find((each) => each.id === id)
    if (!run) return missing()
    return part === 'logs' ? json({ items: logOf(run) }) : json(run)
  }
  if (room === 'runs') return json(found(runs, query))
  return missing()
}

function found(runs: readonly RunView[], query: URLSearchParams) {
  const outcomes = query.get('outcome')?.split(',')
  const states = query.get('state')?.split(',')
  const [from, text, limit] = [query.get('from'), query.get('text'), Number(query.get('limit') ?? 100)]
  const items = runs.filter(
    (run) =>
      (!outcomes || outcomes.includes(run.outcome ?? '')) &&
      (!states || states.includes(run.state)) &&
      (!query.get('job') || run.job === query.get('job')) &&
      (!query.get('cause') || run.cause === query.get('cause')) &&
      (!from || run.scheduledAt >= from) &&
      (!text || `${run.job} ${run.error?.message ?? ''}`.toLowerCase().includes(text.toLowerCase())),
  )
  return { items: items.slice(0, limit), ...(items.length > limit ? { next: 'more' } : {}) }
}

function overview(runs: readonly RunView[], role: string) {
  const today: Partial<Record<Outcome, number>> = {}
  const begin = new Date().setHours(0, 0, 0, 0)
  for (const run of runs) {
    if (run.outcome && Date.parse(run.scheduledAt) >= begin)
      today[run.outcome] = (today[run.outcome] ?? 0) + 1
  }
  const scope = role === 'viewer' ? { shared: false, durable: false } : { shared: true, durable: true }
  return {
    now: new Date().toISOString(),
    app: 'shop',
    timezone: 'Europe/Berlin',
    scope,
    role,
    degraded: [],
    today,
  }
}

function upcoming(jobs: readonly FakeJob[], query: URLSearchParams) {
  const until = Date.parse(query.get('until') ?? '') || Date.now() + 36 * HOUR
  const items = jobs.flatMap((job) => {
    const first = Math.ceil(Date.now() / job.every) * job.every
    const count = job.view.paused ? 0 : Math.min(300, Math.ceil((until - first) / job.every))
    return Array.from({ length: Math.max(0, count) }, (_, i) => ({
      job: job.view.name,
      at: new Date(first + i * job.every).toISOString(),
      ...(i === 3 && jobs.length === 1 ? { note: 'clocks go back: the first 02:30' } : {}),
    }))
  })
  items.sort((a, b) => a.at.localeCompare(b.at))
  return items.slice(0, Number(query.get('limit') ?? 100))
}

function statsOf(job: FakeJob | undefined) {
  if (!job) return []
  const today = Math.floor(Date.now() / 86_400_000)
  return Array.from({ length: 280 }, (_, i) => {
    const n =
      Math.max(1, Math.round(86_400_000 / job.every)) - ((i * 7) % 3 === 0 && job.every < HOUR ? 20 : 0)
    const failed = i % 41 === 7 || (job.bad && i > 277) ? Math.ceil(n / 9) : 0
    const middle = Math.round(Math.log(job.takes) / Math.log(1.1))
    const durations = Object.fromEntries(
      Array.from({ length: 17 }, (_, k) => [middle - 8 + k, Math.round(n * Math.exp(-((k - 8) ** 2) / 18))]),
    )
    return {
      at: new Date((today - 279 + i) * 86_400_000).toISOString(),
      job: job.view.name,
      outcomes: { succeeded: n - failed, ...(failed ? { failed } : {}) },
      durations,
      lateness: {},
      runs: n,
    }
  })
}

function instances(runs: readonly RunView[]) {
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
  const under = runs.filter((run) => run.state === 'running')
  return ['web-1:4711:k3xq9a', 'web-2:4711:p0dm2c', 'worker-1:88:z81hqe'].map((instance, i) => ({
    instance,
    host: instance.split(':')[0],
    pid: Number(instance.split(':')[1]),
    version: i === 2 ? '2.14.1' : '2.14.2',
    startedAt: ago(i === 2 ? 9 * 86_400_000 : 5 * HOUR),
    seenAt: ago(i === 2 ? 41_000 : 1_200),
    lag: i === 1 ? 840 : 4,
    skew: i === 2 ? 1_900 : 3,
    runs: under.filter((_, k) => k % 3 === i).map(({ id, job }) => ({ id, job })),
  }))
}

function audit() {
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
  const instance = 'web-1:4711:k3xq9a'
  return [
    {
      id: '4',
      at: ago(3 * 60_000),
      action: 'asked',
      by: 'kim',
      job: 'invoices',
      reason: 'customer waits',
      instance,
    },
    {
      id: '3',
      at: ago(2 * HOUR),
      action: 'paused',
      by: 'lee',
      job: 'newsletter',
      reason: 'typo in the template',
      instance,
    },
    {
      id: '2',
      at: ago(26 * HOUR),
      action: 'cancelled',
      by: 'kim',
      job: 'reindex',
      instance,
      refused: 'no such run',
    },
    { id: '1', at: ago(50 * HOUR), action: 'resumed', by: 'kim', instance, reason: 'migration is done' },
  ]
}

function incidents(jobs: readonly FakeJob[]) {
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
  const message = `connect ECONNREFUSED 10.0.4.7:5432 ${HOSTILE.slice(0, 60)}`
  return jobs
    .filter((job) => job.bad)
    .map((job, i) => ({
      key: job.view.name,
      job: job.view.name,
      kind: 'failed',
      count: 5 + i,
      since: ago(3 * HOUR),
      lastAt: ago(9 * 60_000),
      message,
      ...(i > 0 ? { acknowledgedBy: 'lee' } : {}),
    }))
}

function explanation() {
  return {
    answer: 'No run: the job was paused.',
    reasons: [
      { kind: 'pause', text: 'lee paused it at 01:12 until it is resumed: typo in the template' },
      { kind: 'schedule', text: 'It had a tick at this instant.' },
    ],
  }
}
