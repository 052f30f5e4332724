import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'

const started = new Set<ChildProcess>()
afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  started.clear()
})

interface App {
  child: ChildProcess
  output: () => string
  /** Waits until the output matches. */
  shows(pattern: RegExp): Promise<RegExpExecArray>
}

function start(name: 'express' | 'koa', env: Record<string, string> = {}): App {
  const main = fileURLToPath(new URL(`../../${name}-app/dist/main.js`, import.meta.url))
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, NODE_ENV: 'production', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  started.add(child)
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return {
    child,
    output: () => text,
    async shows(pattern) {
      const settled = () => pattern.test(text) || child.exitCode !== null
      await expect.poll(settled, { message: `${pattern}`, timeout: 50_000 }).toBe(true)
      const match = pattern.exec(text)
      if (match) return match
      throw new Error(`ended with ${child.exitCode} before ${pattern}:\n${text}`)
    },
  }
}

async function stop({ child }: App): Promise<number | null> {
  const exited = once(child, 'exit')
  child.kill('SIGINT')
  const [code] = (await exited) as [number | null]
  return code
}

describe.each(['express', 'koa'] as const)('the %s example', (name) => {
  test('shows runs, a retry, a failure mail, a recovery mail, a run on request, and closes with 0', async () => {
    const app = start(name)
    const [, port] = await app.shows(/localhost:(\d+)/)
    const response = await fetch(`http://127.0.0.1:${port}/notices?to=me@example.com`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ to: 'me@example.com' }),
    })
    expect(response.status).toBe(202)
    expect(await response.json()).toEqual({ run: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    const page = await fetch(`http://127.0.0.1:${port}/ops/`)
    expect(await page.text()).toContain('<script type="module"')
    // Each request is answered and served, however close they come.
    const people = ['ann', 'bob', 'cleo', 'dan'].map((who) => `${who}@example.com`)
    const answers = await Promise.all(
      people.map((to) =>
        fetch(`http://127.0.0.1:${port}/notices?to=${to}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ to }),
        }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202])
    for (const to of people) await app.shows(new RegExp(`mail to ${to}`))
    await app.shows(/clean-logs +succeeded .* trace [0-9a-f]{32} .*deleted 12, kept 28/)
    await app.shows(/pull-orders +waiting-retry /)
    await app.shows(/report +succeeded .* orders [1-9]/)
    await app.shows(/pull-orders +failed .* after 3 attempts/)
    const mail = await app.shows(
      /mail to ops@example.com: .*pull-orders: failed\n[\s\S]*?Trace +[0-9a-f]{32}/,
    )
    for (const part of ["the shop's API answered 503", '3 attempts', 'Tick', 'Run ']) {
      expect(mail[0]).toContain(part)
    }
    await app.shows(/mail to ops@example.com: .*\n +\| pull-orders \[recovered\]/)
    await app.shows(/mail to sales@example.com: Sales of .*: [1-9]/)
    expect(await stop(app)).toBe(0)
    expect(app.output()).toMatch(/closed\n$/)
  }, 120_000)
})

test('with Jaeger, a failure has the link to its trace: on the console, in the log and in the mail', async () => {
  const received: string[] = []
  const collector = createHttpServer((req, res) => {
    received.push(req.url ?? '')
    req.resume()
    res.setHeader('content-type', 'application/json').end('{}')
  })
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
  try {
    const { port } = collector.address() as AddressInfo
    const app = start('express', {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      JAEGER_URL: 'http://jaeger.example:16686/',
    })
    const [, file] = await app.shows(/logs: +(\S+)/)
    const [, id] = await app.shows(/pull-orders +failed .* trace ([0-9a-f]{32}) .*\n +\| http/)
    const url = `http://jaeger.example:16686/trace/${id}`
    await app.shows(/mail to ops@example.com: .*pull-orders: failed\n[\s\S]*?jaeger\.example/)
    expect(app.output()).toContain(`\n          | ${url}\n`)
    expect(app.output()).toMatch(new RegExp(`mail to ops[\\s\\S]*\\| .*${url}`))
    const lines = readFileSync(file as string, 'utf8')
      .split('\n')
      .filter(Boolean)
    const linked = lines
      .map((line) => JSON.parse(line) as Record<string, string>)
      .filter((line) => 'trace_url' in line)
    expect(linked.map(({ outcome, trace_url }) => [outcome, trace_url])).toEqual([['failed', url]])
    // Nothing else has one.
    for (const [shown] of app.output().matchAll(/jaeger\.example:16686\/trace\/\w+/g))
      expect(url).toContain(shown)
    expect(await stop(app)).toBe(0)
    expect(received).toContain('/v1/traces')
  } finally {
    collector.close()
  }
}, 150_000)

test('two instances with one Redis run no tick twice, and mail of one shop', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'escapement-redis-'))
  const port = await freePort()
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    folder,
  ]
  const redis = spawn('redis-server', args, { stdio: 'ignore' })
  started.add(redis)
  try {
    const apps = ['a', 'b'].map(() => start('express', { REDIS_URL: `redis://127.0.0.1:${port}` }))
    const files = await Promise.all(apps.map(async (app) => (await app.shows(/logs: +(\S+)/))[1] as string))
    // One may own all jobs: then only the other has reason to say so.
    await Promise.any(apps.map((app) => app.shows(/another instance runs it/)))
    // Each instance writes down what it ran.
    const read = () =>
      files.flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as Record<string, string>)
          .filter(({ outcome, cause }) => outcome === 'succeeded' && cause === 'schedule')
          .map(({ tick }) => tick),
      )
    await expect.poll(() => read().length, { timeout: 90_000, interval: 200 }).toBeGreaterThan(3)
    const ran = read()
    expect(new Set(ran).size).toBe(ran.length)
    // Each serves a request by what either has pulled: the shop is one.
    for (const [i, app] of apps.entries()) {
      const [, own] = await app.shows(/localhost:(\d+)/)
      const to = `instance-${i}@example.com`
      const body = JSON.stringify({ to })
      const headers = { 'content-type': 'application/json' }
      await fetch(`http://127.0.0.1:${own}/notices`, { method: 'POST', headers, body })
      await app.shows(new RegExp(`mail to ${to}: Sales of .*: [1-9]`))
    }
    expect(apps.map((app) => app.output()).join()).not.toMatch(/: 0\.00/)
    expect(await Promise.all(apps.map(stop))).toEqual([0, 0])
  } finally {
    redis.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}, 150_000)

function freePort(): Promise<number> {
  const probe = createServer()
  return new Promise((resolve) => {
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
