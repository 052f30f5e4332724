import { type AdminOptions, admin, tokenAuth } from '@escapement/admin'
import { createScheduler, manual, type RunQuery, type Scheduler } from '@escapement/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const TOKEN = 'token-0123456789'
const lines: string[] = []
const note = (...args: unknown[]) => lines.push(JSON.stringify(args))
const logger = { debug: note, info: note, warn: note, error: note }

let scheduler: Scheduler

beforeEach(async () => {
  lines.length = 0
  scheduler = createScheduler({ logger, timezone: 'UTC' })
  for (const name of ['shown', 'hidden']) scheduler.job(name, manual(), () => {})
  await scheduler.start()
})
afterEach(() => scheduler.stop())

function ask(auth: AdminOptions['auth'], path: string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(`http://localhost/api/v1/${path}`, init)
  const handler = admin(scheduler, auth ? { auth } : {})
  return Promise.resolve(handler(request, { base: '', peer: undefined, body: undefined }))
}

describe('auth', () => {
  test.each([
    ['throws', () => Promise.resolve().then(() => Promise.reject(new Error('no route to ldap.internal')))],
    [
      'throws at once',
      () => {
        throw new Error('no route to ldap.internal')
      },
    ],
  ])('that %s lets nobody in, tells a stranger nothing, and is in the log', async (_, auth) => {
    const response = await ask(auth, 'jobs')
    expect(response.status).toBe(503)
    expect(await response.text()).not.toContain('ldap')
    expect(lines.join()).toContain('ldap.internal')
  })

  test('whose jobs() gives anything but true shows no job', async () => {
    const jobs = (async () => false) as unknown as (name: string) => boolean
    const response = await ask(() => ({ actor: 'v', role: 'viewer', jobs }), 'jobs')
    expect(((await response.json()) as { items: unknown[] }).items).toEqual([])
  })

  test('a token that is refused is not in the error', () => {
    const identity = { actor: 'a', role: 'operator' } as const
    expect(() => tokenAuth({ 'hunter2-short': identity })).toThrow(/at least 16/)
    expect(() => tokenAuth({ 'hunter2-short': identity })).not.toThrow(/hunter2/)
  })
})

test('instances tell those that see some jobs of no other job', async () => {
  const auth = () => ({ actor: 'v', role: 'viewer' as const, jobs: (name: string) => name === 'shown' })
  const text = await (await ask(auth, 'instances')).text()
  expect(text).toContain('"shown"')
  expect(text).not.toContain('hidden')
})

test('a refusal says what would be answered', async () => {
  const auth = tokenAuth({ [TOKEN]: { actor: 'a', role: 'operator' } })
  expect((await ask(auth, 'jobs')).headers.get('www-authenticate')).toBe('Bearer realm="jobs"')
  const headers = { authorization: `Bearer ${TOKEN}` }
  const allow = async (path: string) =>
    (await ask(auth, path, { method: 'PUT', headers })).headers.get('allow')
  expect(await allow('jobs')).toBe('GET, HEAD')
  expect(await allow('jobs/shown/pause')).toBe('POST, DELETE')
})

test('a stream tells that an old run of another instance has ended', async () => {
  const { id } = await scheduler.run('shown', undefined, { wait: true })
  const [base] = await scheduler.history({ id })
  const newest = Array.from({ length: 3 }, (_, i) => ({ ...base, id: `${id}-${i}` }))
  const old = { ...base, id: 'a', instance: 'other', state: 'running', outcome: undefined }
  let running = true
  let looks = 0
  const history = async ({ state, limit = 100 }: RunQuery) => {
    // It ends after it was seen.
    if (state && looks++ > 0) running = false
    const ended = running ? newest : [...newest, { ...old, state: 'succeeded' }]
    return (state ? (running ? [old] : []) : running ? [...newest, old] : ended).slice(0, limit)
  }
  const fleet: Scheduler = Object.create(scheduler, {
    scope: { value: { shared: true, durable: true } },
    history: { value: history },
  })
  const handler = admin(fleet, { auth: () => ({ actor: 'v', role: 'viewer' }) })
  const request = new Request('http://localhost/api/v1/events')
  const response = await handler(request, { base: '', peer: undefined, body: undefined })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  const end = setTimeout(() => void reader.cancel(), 4_000)
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += Buffer.from(part.value).toString()
    if (text.includes('event: changed')) break
  }
  clearTimeout(end)
  await reader.cancel()
  expect(text).toContain('event: changed')
})
