import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { admin, basicAuth, segmentOf, tokenAuth } from '@escapement/admin'
import { createScheduler, every, manual, type Scheduler } from '@escapement/core'
import { toNode } from '@escapement/http'
import { main } from 'escapement'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const TOKEN = 'operator-0123456789'
const VIEWER = 'viewer-0123456789ab'
const ODD = 'reports/käse 100% ~1 日本 🧀'
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

let scheduler: Scheduler
let server: Server
let url: string
let release: () => void

beforeEach(async () => {
  scheduler = createScheduler({ logger: quiet, timezone: 'UTC' })
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  scheduler.job('fine', '0 9 * * *', { group: 'g' }, () => {})
  scheduler.job('bad', manual(), (run) => {
    run.log.warn({ table: 't' }, 'about to \u001b[31mfail')
    throw new Error('no such\nfile')
  })
  scheduler.job('held', manual(), { overlap: 'allow' }, async (run) => {
    run.log.info('begins')
    await held
    run.log.info('goes on')
  })
  for (const name of [ODD, '.', '..']) scheduler.job(name, every('1h'), () => {})
  await scheduler.start()
  const api = admin(scheduler, {
    auth: tokenAuth({
      [TOKEN]: { actor: 'ann', role: 'operator' },
      [VIEWER]: { actor: 'vic', role: 'viewer' },
    }),
  })
  url = await serve(api)
})
afterEach(async () => {
  release()
  vi.unstubAllEnvs()
  await scheduler.stop()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function serve(api: ReturnType<typeof admin>): Promise<string> {
  server = createServer(toNode(api))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jobs`
}

async function bare(...argv: string[]) {
  const out: string[] = []
  const error: string[] = []
  const output = { out: (text: string) => out.push(text), error: (text: string) => error.push(text) }
  return { code: await main(argv, output), out, error: error.join('\n') }
}

function cli(...argv: string[]) {
  return bare(...argv, '--url', url, '--token', TOKEN)
}

async function json(...argv: string[]) {
  const { code, out, error } = await cli(...argv, '--json')
  expect({ code, error }).toEqual({ code: 0, error: '' })
  return JSON.parse(out.join('\n'))
}

describe('lists', () => {
  test('jobs, with how they stand, as a table and as JSON', async () => {
    await scheduler.run('bad', undefined, { wait: true })
    await scheduler.pause('fine', { until: new Date('2100-01-01T00:00:00Z') })
    const { code, out } = await cli('jobs')
    expect(code).toBe(0)
    expect(out[0]).toMatch(/^JOB +STATE +LAST +NEXT +SCHEDULE$/)
    expect(out.find((line) => line.startsWith('bad '))).toMatch(/^bad +failing +failed 2\S+Z +- +manual$/)
    expect(out.find((line) => line.startsWith('fine '))).toContain('paused until 2100-01-01T00:00:00Z')
    expect(out.some((line) => line.startsWith(ODD))).toBe(true)
    expect((await json('jobs', '--state', 'failing')).map(({ name }: { name: string }) => name)).toEqual([
      'bad',
    ])
    expect(await json('jobs', '--group', 'g')).toHaveLength(1)
  })
  test('runs by filter, over pages, with nothing that a terminal obeys', async () => {
    for (let i = 0; i < 7; i++) await scheduler.run(i === 3 ? 'bad' : 'fine', undefined, { wait: true })
    const { out } = await cli('runs', '--outcome', 'failed,timed-out')
    expect(out).toHaveLength(2)
    expect(out[1]).toMatch(/^2\S+Z +bad +failed +\d+ ms +\S+ +no such$/)
    expect(await json('runs', '-n', '5')).toHaveLength(5)
    expect(await json('runs', '--until', '2020-01-01 09:00', '--tz', 'Asia/Shanghai')).toEqual([])
  })
  test('more jobs than one page has', async () => {
    for (let i = 0; i < 520; i++) scheduler.job(`more-${i}`, manual(), () => {})
    expect(await json('jobs', '--text', 'more-')).toHaveLength(520)
  })
})

describe('actions', () => {
  test('run asks once for one key, with data, reason and the name of the person', async () => {
    const argv = ['run', 'fine', '--data', '{"month":"2026-11"}', '--key', 'k1', '--reason', 'again']
    const [first] = (await cli(...argv)).out
    expect((await json(...argv)).id).toBe(first)
    await expect.poll(async () => (await scheduler.find(first as string))?.outcome).toBe('succeeded')
    expect(await scheduler.find(first as string)).toMatchObject({
      data: { month: '2026-11' },
      asked: { by: 'ann', reason: 'again' },
    })
  })
  test('run --follow shows its lines and gives what became of it as exit code', async () => {
    expect(await cli('run', 'fine', '--follow')).toMatchObject({
      code: 0,
      error: expect.stringContaining('succeeded after'),
    })
    const { code, out, error } = await cli('run', 'bad', '-f')
    expect(code).toBe(1)
    expect(out).toEqual([expect.stringMatching(/Z warn {2}about to \\u001b\[31mfail .*"table":"t"/)])
    expect(error).toMatch(/failed after \d+ ms: no such\\nfile$/)
  })
  test('logs --follow shows a line as it comes, each once, and ends with the run', async () => {
    const { id } = await scheduler.run('held', undefined)
    const out: string[] = []
    const output = { out: (text: string) => out.push(text), error: () => {} }
    const ended = main(['logs', id, '--follow', '--url', url, '--token', TOKEN], output)
    await expect.poll(() => out.length, { timeout: 5_000 }).toBe(1)
    expect(out[0]).toContain('begins')
    release()
    expect(await ended).toBe(0)
    expect(out.slice(1)).toEqual([expect.stringContaining('goes on')])
    expect((await json('logs', id)).map(({ message }: { message: string }) => message)).toEqual([
      'begins',
      'goes on',
    ])
  })
  test('cancel and retry', async () => {
    const { id } = await scheduler.run('held', undefined)
    await expect.poll(async () => (await scheduler.find(id))?.state).toBe('running')
    expect((await cli('cancel', id, '--reason', 'too long')).code).toBe(0)
    release()
    await expect.poll(async () => (await scheduler.find(id))?.outcome).toBe('cancelled')
    const again = (await cli('retry', id)).out[0] as string
    await expect.poll(async () => (await scheduler.find(again))?.outcome).toBe('succeeded')
    expect((await scheduler.find(again))?.retryOf).toBe(id)
  })
  test.each([ODD, '.', '..'])('pause and resume of the job %j, and of no other', async (name) => {
    expect(await cli('pause', name, '--for', '1h', '--reason', 'moved')).toMatchObject({ code: 0, error: '' })
    expect(scheduler.paused).toBeUndefined()
    const paused = () => scheduler.jobs().filter((job) => job.paused)
    expect(paused().map((job) => job.name)).toEqual([name])
    expect(paused()[0]?.paused).toMatchObject({ by: 'ann', reason: 'moved', until: expect.any(Date) })
    expect((await cli('resume', name)).code).toBe(0)
    expect(paused()).toEqual([])
    expect(segmentOf(name)).not.toMatch(/^\.+$/)
  })
  test('all jobs are paused with --all only', async () => {
    for (const argv of [['pause'], ['pause', ''], ['pause', 'fine', '--all'], ['resume']])
      expect(await cli(...argv)).toMatchObject({ code: 2, error: expect.stringContaining('--all') })
    expect((await cli('pause', '--all')).code).toBe(0)
    expect(scheduler.paused).toMatchObject({ by: 'ann' })
    expect((await cli('resume', '--all')).code).toBe(0)
    expect(scheduler.paused).toBeUndefined()
  })
})

describe('exit codes', () => {
  test('1: the server refuses, in its words and with its code', async () => {
    expect(await cli('run', 'no-such')).toMatchObject({
      code: 1,
      error: expect.stringMatching(/no-such.*\[ERR_/),
    })
    expect(await cli('logs', 'no-such')).toMatchObject({ code: 1, error: expect.stringContaining('[ERR_') })
    expect(await bare('run', 'fine', '--url', url, '--token', VIEWER)).toMatchObject({
      code: 1,
      error: expect.stringContaining('role operator'),
    })
    expect(await bare('jobs', '--url', url, '--token', 'wrong-token')).toMatchObject({
      code: 1,
      error: expect.stringContaining('NOT_SIGNED_IN'),
    })
    expect(await cli('runs', '--outcome', 'odd')).toMatchObject({
      code: 1,
      error: expect.stringContaining('outcome'),
    })
  })
  test.each([
    [['jobs', 'extra'], 'unexpected "extra"'],
    [['run'], 'the name of the job is missing'],
    [['logs'], 'the id of the run is missing'],
    [['jobs', '--follow'], 'no option --follow here'],
    [['next', '0 9 * * *', '--follow'], 'no option --follow here'],
    [['run', 'fine', '--data', '{'], '--data: expected JSON'],
    [['run', 'fine', '--key', '鍵'], '--key'],
    [['run', 'fine', '--at', 'soon'], '--at'],
    [['runs', '-n', '0'], '-n: expected'],
  ])('2: %j is wrong usage', async (argv, text) => {
    expect(await cli(...argv)).toMatchObject({ code: 2, out: [], error: expect.stringContaining(text) })
    expect(await scheduler.history()).toEqual([])
  })
  test('2: no address, or one that is none; no secret is shown', async () => {
    vi.stubEnv('ESCAPEMENT_URL', '')
    expect(await bare('jobs')).toMatchObject({ code: 2, error: expect.stringContaining('--url is missing') })
    expect(await bare('jobs', '--url', 'ftp://ann:secret@x')).toMatchObject({
      code: 2,
      error: expect.not.stringContaining('secret'),
    })
  })
  test('3: nobody answers', async () => {
    await new Promise((resolve) => server.close(resolve))
    const { code, error } = await cli('jobs')
    expect(code).toBe(3)
    expect(error).toContain('cannot be reached: ECONNREFUSED')
  })
  test('an answer of something else', async () => {
    await new Promise((resolve) => server.close(resolve))
    server = createServer((request, response) => {
      if (request.url?.startsWith('/login')) response.writeHead(302, { location: '/page' }).end()
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { origin } = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(await bare('jobs', '--url', `${origin}/page`)).toMatchObject({
      code: 1,
      error: expect.stringContaining('is not of the API'),
    })
    expect(await bare('jobs', '--url', `${origin}/login`)).toMatchObject({
      code: 1,
      error: expect.stringContaining('is --token right?'),
    })
  })
})

test('address and token of the environment; the root of the API as address; name and password', async () => {
  vi.stubEnv('ESCAPEMENT_URL', `${url}/api/v1/`)
  vi.stubEnv('ESCAPEMENT_TOKEN', TOKEN)
  expect((await bare('jobs')).code).toBe(0)
  vi.stubEnv('ESCAPEMENT_TOKEN', '')
  await new Promise((resolve) => server.close(resolve))
  const secret = 'pass:wörd/1'
  url = await serve(admin(scheduler, { auth: basicAuth({ ann: { password: secret, role: 'operator' } }) }))
  const address = url.replace('http://', `http://ann:${encodeURIComponent(secret)}@`)
  expect((await bare('jobs', '--url', address)).code).toBe(0)
  expect(await bare('jobs', '--url', url)).toMatchObject({
    code: 1,
    error: expect.stringContaining('--token'),
  })
})
