/** The mail server in its failure modes: a real one on this machine, and bare sockets where it would be too good. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type AlertsOptions, alerts } from '@escapement/alerts'
import { createScheduler, type Scheduler } from '@escapement/core'
import { createTransport } from 'nodemailer'
import { afterEach, describe, expect, test } from 'vitest'
import { email } from '../src/index.ts'
import { message } from './samples.ts'
import { mailbox } from './smtp.ts'

const from = 'jobs@example.org'
const to = 'ops@example.org'
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const idle = () => new AbortController().signal

async function box(...args: Parameters<typeof mailbox>) {
  const made = await mailbox(...args)
  closing.push(made.close)
  return made
}

/** A server that answers as the test says, and then nothing. */
async function bare(talk: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    talk(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { sockets, url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function failure(
  url: string,
  options: object = {},
): Promise<Error & { retryable?: boolean; taken?: boolean }> {
  const channel = email({ transport: { url, ...options }, from, to })
  return channel.send(message(), { signal: idle() }).then(
    () => expect.fail('was sent'),
    (error) => error,
  )
}

const refuse = (responseCode: number, text: string) => Object.assign(new Error(text), { responseCode })

describe('what the channel makes of it', () => {
  test('refused', async () => {
    const gone = await mailbox()
    await gone.close()
    expect((await failure(gone.url)).message).toContain('ECONNREFUSED')
  })

  test('no greeting', async () => {
    const { url } = await bare(() => {})
    expect((await failure(url, { greetingTimeout: 100 })).message).toMatch(/greeting/i)
  })

  test('silence after the greeting', async () => {
    const { url } = await bare((socket) => void socket.write('220 hello\r\n'))
    expect((await failure(url, { socketTimeout: 100 })).message).toMatch(/timeout/i)
  })

  test('4xx: will be tried again', async () => {
    const { url } = await box({ onMailFrom: (_a, _s, callback) => callback(refuse(451, 'greylisted')) })
    const error = await failure(url)
    expect(error.message).toContain('451')
    expect(error.retryable).toBeUndefined()
  })

  test('5xx: will not', async () => {
    const { url } = await box({ onMailFrom: (_a, _s, callback) => callback(refuse(550, 'go away')) })
    expect(await failure(url)).toMatchObject({ retryable: false, message: expect.stringContaining('550') })
  })

  test('5xx after the data', async () => {
    const { url } = await box({
      onData(stream, _session, callback) {
        stream.resume().on('end', () => callback(refuse(554, 'looks like spam')))
      },
    })
    expect(await failure(url)).toMatchObject({ retryable: false, message: expect.stringContaining('554') })
  })

  test('dropped in the middle of the data', async () => {
    const { url } = await bare((socket) => {
      socket.write('220 hello\r\n')
      let data = false
      socket.on('data', (chunk) => {
        if (data) return void socket.destroy()
        for (const line of chunk.toString().split('\r\n').filter(Boolean)) {
          data = line === 'DATA'
          socket.write(data ? '354 go on\r\n' : '250 fine\r\n')
        }
      })
    })
    const error = await failure(url)
    expect(error).toBeInstanceOf(Error)
    expect(error.retryable).toBeUndefined()
  })

  test('slow, drop by drop: ended by the signal, and the connection with it', async () => {
    const { url, sockets } = await bare((socket) => {
      const timer = setInterval(() => socket.write('220-still here\r\n'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    const controller = new AbortController()
    const sent = email({ url, from, to }).send(message(), { signal: controller.signal })
    while (sockets.size === 0) await new Promise((resolve) => setImmediate(resolve))
    const [socket] = sockets
    const closed = once(socket as Socket, 'close')
    controller.abort(new Error('took too long'))
    await expect(sent).rejects.toThrow('took too long')
    await closed
  })

  test('partly refused: those who have it do not get it twice, the others are tried again', async () => {
    let busy = true
    const server = await box({
      onRcptTo({ address }, _session, callback) {
        if (address === 'gone@example.org') return callback(refuse(550, 'no such user'))
        if (address === 'busy@example.org' && busy) return callback(refuse(452, 'mailbox full'))
        callback()
      },
    })
    const channel = email({ url: server.url, from, to: [to, 'gone@example.org', 'busy@example.org'] })
    const first = await channel.send(message(), { signal: idle() }).catch((error: unknown) => error)
    expect(first).toMatchObject({ taken: true, retryable: true })
    busy = false
    const second = await channel.send(message(), { signal: idle() }).catch((error: unknown) => error)
    expect(second).toMatchObject({
      taken: true,
      retryable: false,
      message: expect.stringContaining('gone@example.org'),
    })
    expect(server.recipients).toEqual([[to], ['busy@example.org']])
  })

  test('TLS: STARTTLS with an unknown certificate is refused, and taken when it is allowed', async () => {
    const server = await box({ disabledCommands: [] })
    expect((await failure(server.url)).message).toMatch(/certificate/)
    await email({ transport: { url: server.url, tls: { rejectUnauthorized: false } }, from, to }).send(
      message(),
      { signal: idle() },
    )
    const secure = await box({ secure: true })
    const url = secure.url.replace('smtp:', 'smtps:')
    await email({ transport: { url, tls: { rejectUnauthorized: false } }, from, to }).send(message(), {
      signal: idle(),
    })
    expect([server.mails.length, secure.mails.length]).toEqual([1, 1])
  })

  test('wrong password: neither it nor the address is in the error', async () => {
    const { port } = await box({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, callback) => callback(new Error('Invalid credentials')),
    })
    const error = await failure(`smtp://user:pa55w0rd@127.0.0.1:${port}`)
    expect(error.message).toContain('535')
    expect(`${error.message}${error.stack}${JSON.stringify(error)}`).not.toContain('pa55w0rd')
  })

  describe('a password', () => {
    const auth = { user: 'jobs', pass: 'pa55/w0rd' }
    /** A server without TLS on this machine, which a transport believes to be elsewhere. */
    async function elsewhere(options: object) {
      const logins: unknown[] = []
      const server = await box({
        allowInsecureAuth: true,
        onAuth: (login, _session, callback) => {
          logins.push(login.password)
          callback(null, { user: 'jobs' })
        },
      })
      const getSocket = (_: unknown, callback: (error: null, socket: object) => void) => {
        const connection = connect(server.port, '127.0.0.1', () => callback(null, { connection }))
      }
      const channel = email({ transport: { ...options, getSocket }, from, to })
      const error = await channel.send(message(), { signal: idle() }).catch((error: unknown) => error)
      return { logins, error }
    }

    test.each([
      ['options', { host: 'mail.example.org', auth }],
      ['an address', { url: 'smtp://jobs:pa55%2Fw0rd@mail.example.org' }],
    ])('is not sent to another machine without TLS: %s', async (_, options) => {
      const { logins, error } = await elsewhere(options)
      expect(String(error)).toMatch(/STARTTLS|TLS/)
      expect(logins).toEqual([])
    })

    test.each([
      ['requireTLS: false', { host: 'mail.example.org', auth, requireTLS: false }],
      ['ignoreTLS', { host: 'mail.example.org', auth, ignoreTLS: true }],
      ['?requireTLS=false', { url: 'smtp://jobs:pa55%2Fw0rd@mail.example.org?requireTLS=false' }],
      ['this machine', { host: 'localhost', auth }],
      ['this machine by its number', { url: 'smtp://jobs:pa55%2Fw0rd@127.0.0.1' }],
    ])('is sent where that is wanted: %s', async (_, options) => {
      const { logins, error } = await elsewhere(options)
      expect(error).toBeUndefined()
      expect(logins).toEqual(['pa55/w0rd'])
    })

    test('that the server echoes is in no error', async () => {
      const echo = Buffer.from('\0jobs\0pa55/w0rd').toString('base64')
      const { url } = await bare((socket) => {
        socket.write('220 hello\r\n')
        socket.on('data', (chunk) => {
          if (chunk.toString().startsWith('EHLO')) socket.write('250-hello\r\n250 AUTH PLAIN\r\n')
          else if (chunk.toString().startsWith('AUTH')) socket.write(`535 bad login ${echo} pa55/w0rd\r\n`)
        })
      })
      const error = await failure(url, { auth })
      expect(error.message).toContain('535 bad login')
      for (const secret of ['pa55', echo])
        expect(`${error.message}${error.stack}${JSON.stringify(error)}`).not.toContain(secret)
      expect(error.retryable).toBe(false)
    })
  })

  test('a pool that was given is closed with the scheduler where that is said', async () => {
    const server = await box()
    const pool = createTransport({ url: server.url, pool: true })
    const channel = email({ transport: pool, from, to, close: true })
    await channel.send(message(), { signal: idle() })
    await channel.close?.()
    await expect(channel.send(message(), { signal: idle() })).rejects.toThrow(/closed/)
  })

  test('a transport of your own stays yours; one made here is closed and made again', async () => {
    const server = await box()
    const yours = createTransport({ url: server.url, pool: true })
    const theirs = email({ transport: yours, from, to })
    await theirs.send(message(), { signal: idle() })
    await theirs.close?.()
    expect(yours.isIdle()).toBe(true)
    await theirs.send(message(), { signal: idle() })
    yours.close()
    const mine = email({ transport: { url: server.url, pool: true }, from, to })
    await mine.send(message(), { signal: idle() })
    await mine.close?.()
    await mine.send(message(), { signal: idle() })
    await mine.close?.()
    expect(server.mails).toHaveLength(4)
  })
})

describe('what the app feels of it', () => {
  function app(
    url: string,
    options: Partial<AlertsOptions> = {},
  ): { scheduler: Scheduler; errors: unknown[] } {
    const errors: unknown[] = []
    const scheduler = createScheduler({
      logger: { debug() {}, info() {}, warn() {}, error: (...line: unknown[]) => void errors.push(line) },
      plugins: [
        alerts({
          channels: [email({ url, from, to })],
          groupWait: 0,
          groupInterval: 0,
          backoff: 10,
          ...options,
        }),
      ],
    })
    scheduler.job('fails', '0 0 1 1 *', () => {
      throw new Error('no disk space')
    })
    scheduler.job('works', '* * * * * *', () => {})
    return { scheduler, errors }
  }

  test('greylisted: the mail comes at the second try, once', async () => {
    let refusals = 1
    const server = await box({
      onMailFrom: (_a, _s, callback) => (refusals-- > 0 ? callback(refuse(451, 'greylisted')) : callback()),
    })
    const { scheduler } = app(server.url)
    await scheduler.start()
    await scheduler.run('fails', undefined, { wait: true })
    await server.arrived(1)
    await scheduler.stop()
    expect(server.mails).toHaveLength(1)
    expect(server.connections).toBe(2)
  })

  test('a dead mail server delays and harms nothing: runs go on, and stop() ends in its time', async () => {
    const { url, sockets } = await bare(() => {})
    const { scheduler } = app(url, { flush: '200ms' })
    const late: number[] = []
    scheduler.on('running', (run) => late.push(run.late))
    await scheduler.start()
    const began = performance.now()
    for (let i = 0; i < 20; i++) await scheduler.run('fails', undefined, { wait: true })
    expect(performance.now() - began).toBeLessThan(1000)
    while (sockets.size === 0) await new Promise((resolve) => setImmediate(resolve))
    let ticks = 0
    await new Promise<void>((resolve) => scheduler.on('succeeded', () => void (++ticks === 2 && resolve())))
    const stopping = performance.now()
    await scheduler.stop()
    expect(performance.now() - stopping).toBeLessThan(3000)
    expect(Math.max(...late)).toBeLessThan(1000)
  })

  test('errors of ten thousand characters make a mail of bearable size', async () => {
    const server = await box()
    const { scheduler } = app(server.url)
    scheduler.job('huge', '0 0 1 1 *', { retry: { retries: 20, delay: 1, backoff: 'fixed' } }, () => {
      throw new Error('<b>ten thousand</b> '.repeat(500), { cause: new Error('deep '.repeat(5000)) })
    })
    await scheduler.start()
    await scheduler.run('huge', undefined, { wait: true })
    await server.arrived(1)
    await scheduler.stop()
    expect(server.raw[0]?.length).toBeLessThan(60_000)
    expect(server.mails[0]?.text).toContain('Attempt 21')
  })
})
