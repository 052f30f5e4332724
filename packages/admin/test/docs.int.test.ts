import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

/** The programs and the commands of the page, as a reader would use them. */
const page = readFileSync(new URL('../../../docs/http-api.md', import.meta.url), 'utf8')
const blocks = (lang: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${lang}\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text as string)
const programs = blocks('js')
/** A command may go on in the next line. */
const commands = blocks('sh').flatMap((text) => text.replaceAll('\\\n', ' ').trim().split('\n'))
const exported = commands.find((line) => line.startsWith('export ')) ?? ''
const cwd = fileURLToPath(new URL('..', import.meta.url))
const cli = fileURLToPath(new URL('../../cli/dist/bin.js', import.meta.url))
const env = { ...process.env, NODE_ENV: 'production', JOBS_TOKEN: 'token-of-the-page-0123' }

let port: number
let child: ChildProcess | undefined
let printed = ''

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const found = (server.address() as AddressInfo).port
  await new Promise((resolve) => server.close(resolve))
  return found
}

async function start(program: string): Promise<void> {
  port = await freePort()
  printed = ''
  const argv = ['--input-type=module', '-e', program.replace('listen(3000)', `listen(${port})`)]
  child = spawn(process.execPath, argv, { cwd, env })
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text) => {
      printed += text
    })
  // Outside of a test nothing can be polled by expect().
  await vi.waitFor(() => expect(ask('overview'), printed).toBe('200'), { timeout: 15_000, interval: 100 })
}

async function stop(): Promise<void> {
  const ending = child
  child = undefined
  if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
  const ended = new Promise((resolve) => ending.once('exit', resolve))
  ending.kill('SIGKILL')
  await ended
}

/** The status of a request. */
function ask(path: string): string {
  const url = `localhost:${port}/jobs/api/v1/${path}`
  const argv = [
    '-s',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    '-H',
    `authorization: Bearer ${env.JOBS_TOKEN}`,
    url,
  ]
  return spawnSync('curl', argv, { encoding: 'utf8', timeout: 5_000 }).stdout
}

/** Runs a line in a shell, where `npx escapement` is what this repository has built. */
function shell(line: string) {
  const script = `
    curl() { command curl -sS --fail-with-body --max-time 10 "$@"; }
    npx() { shift; "${process.execPath}" "${cli}" "$@"; }
    ${exported}
    ${line}`
  return spawnSync('bash', ['-c', script.replaceAll('localhost:3000', `localhost:${port}`)], {
    encoding: 'utf8',
    env,
    timeout: 20_000,
  })
}

describe.each(programs.map((program) => [/from '(?!node:|@)(\w+)'/.exec(program)?.[1] ?? 'node', program]))(
  'mounted in %s',
  (_name, program) => {
    afterEach(stop)
    test('reads and actions', async () => {
      await start(program)
      expect(ask('jobs/daily-report')).toBe('200')
      const posted = shell(commands.find((line) => line.includes('/daily-report/runs')) as string)
      expect(posted).toMatchObject({ status: 0, stderr: '' })
      expect(JSON.parse(posted.stdout)).toMatchObject({ job: 'daily-report' })
    })
  },
)

describe('commands', () => {
  beforeAll(() => start(programs[0] as string))
  afterAll(stop)
  const whole = commands.filter((line) => line !== exported && !line.includes('/events'))
  test.each(whole)('%s', (line) => {
    const { status, stdout, stderr } = shell(line)
    expect({ status, stdout, stderr }).toMatchObject({ status: 0 })
    if (line.startsWith('curl')) expect(stderr).toBe('')
  })
  test('the stream tells of a run', async () => {
    const line = commands.find((one) => one.includes('/events')) as string
    const script = line.replaceAll('localhost:3000', `localhost:${port}`)
    const stream = spawn('bash', ['-c', `exec ${script}`], { env })
    let heard = ''
    stream.stdout.on('data', (text) => {
      heard += text
    })
    try {
      await expect.poll(() => heard, { timeout: 5_000 }).toContain('retry:')
      expect(shell('npx escapement run daily-report')).toMatchObject({ status: 0 })
      await expect.poll(() => heard, { timeout: 5_000 }).toContain('"job":"daily-report"')
    } finally {
      stream.kill()
    }
  })
})

test('the page has three ways to mount it, and examples of both kinds', () => {
  expect(programs).toHaveLength(3)
  expect(commands.filter((line) => line.startsWith('curl')).length).toBeGreaterThan(15)
  expect(commands.filter((line) => line.startsWith('npx')).length).toBeGreaterThan(5)
})
