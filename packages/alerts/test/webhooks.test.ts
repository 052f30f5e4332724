/**
 * The servers here are ours: they behave as the vendors' documents say, no more. What the vendors really do
 * was not tested.
 */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { signed } from '../src/channel/dingtalk.ts'
import { redactor, turn } from '../src/channel/http.ts'
import {
  type Channel,
  dingtalk,
  feishu,
  type Message,
  type Notice,
  slack,
  webhook,
  wecom,
} from '../src/index.ts'

interface Request {
  url: URL
  headers: IncomingHttpHeaders
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: what was sent is looked at in all its depth
  body: any
}

const opened: (() => void)[] = []
afterEach(() => {
  vi.useRealTimers()
  for (const close of opened.splice(0)) close()
})

/** A server on a free port; its address ends in a key, as a webhook's does. */
async function serve(answer: (request: Request, response: ServerResponse) => void) {
  const requests: Request[] = []
  const server = createServer((incoming, response) => {
    let text = ''
    incoming.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '', 'http://localhost')
      let body: unknown
      try {
        body = JSON.parse(text)
      } catch {}
      const request = { url, headers: incoming.headers, text, body }
      requests.push(request)
      answer(request, response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { requests, url: `http://127.0.0.1:${port}/robot/T0PS3CRETKEY?access_token=abcdef123456` }
}

const errcode =
  (code: number, errmsg = 'ok') =>
  (_: Request, response: ServerResponse) =>
    void response.setHeader('content-type', 'application/json').end(JSON.stringify({ errcode: code, errmsg }))

function notice(parts: Partial<Notice> = {}): Notice {
  return {
    incident: 'i',
    kind: 'failed',
    status: 'open',
    severity: 'error',
    subject: 'daily-report',
    told: 0,
    escalated: false,
    count: 1,
    openedAt: new Date('2026-11-20T01:00:00Z'),
    lastAt: new Date('2026-11-20T01:00:00Z'),
    recoveredAt: undefined,
    job: {
      name: 'daily-report',
      description: undefined,
      owner: 'ops',
      runbook: 'https://wiki.example/run(book)',
      group: undefined,
      schedule: '0 9 * * *',
      timezone: 'Asia/Shanghai',
      next: undefined,
    },
    run: undefined,
    errors: [
      {
        attempt: 1,
        name: 'Error',
        message: 'connect ECONNREFUSED',
        code: undefined,
        stack: undefined,
        causes: [],
      },
    ],
    detail: undefined,
    lastSuccess: undefined,
    ...parts,
  }
}

function message(notices: Notice[] = [notice()]): Message {
  return {
    id: 'm-1',
    at: new Date('2026-11-20T01:00:30Z'),
    instance: 'web-1',
    severity: 'error',
    notices,
    thread: { id: 'm-1', incidents: notices.length, kind: 'failed', subject: 'daily-report' },
    references: [],
  }
}

const nasty = '<!channel> <@U1> *b* `c` [x](http://evil) @all **d** > # ~ | & \u0000\u202e 中文🙂'
const storm = Array.from({ length: 300 }, (_, i) =>
  notice({
    subject: `job-${i} ${nasty}`,
    errors: [{ ...(notice().errors[0] as Notice['errors'][0]), message: nasty.repeat(200) }],
  }),
)

function send(
  channel: Channel,
  sent: Message = message(),
  signal = new AbortController().signal,
): Promise<void> {
  return channel.send(sent, { signal })
}

async function failure(channel: Channel): Promise<Error & { retryable?: boolean; retryAfter?: number }> {
  return send(channel).then(
    () => expect.fail('was sent'),
    (error) => error,
  )
}

describe('slack, as documented', () => {
  const ok = (_: Request, response: ServerResponse) => void response.end('ok')

  test('blocks with header, facts and links', async () => {
    const { url, requests } = await serve(ok)
    await send(slack({ url, app: 'shop' }))
    const { text, blocks } = requests[0]?.body ?? {}
    expect(text).toBe('🔴 shop: daily-report: The run ended with an error.')
    expect(blocks.map(({ type }: { type: string }) => type)).toEqual(['header', 'section', 'context'])
    expect(blocks[1].text.text).toContain('*daily-report*  _failed_')
    expect(blocks[1].text.text).toContain('`Error: connect ECONNREFUSED`')
    expect(blocks[1].text.text).toContain('<https://wiki.example/run(book)|Open runbook>')
    expect(blocks[1].text.text).toContain('Owner: ops')
  })

  test('never more than 50 blocks of 3,000 characters, and nothing of it is markup or a mention', async () => {
    const { url, requests } = await serve(ok)
    await send(slack({ url }), message(storm))
    const { text, blocks } = requests[0]?.body ?? {}
    expect(text.length).toBeLessThanOrEqual(3000)
    expect(blocks).toHaveLength(50)
    expect(blocks[48].text.text).toBe('and 253 more')
    for (const { text } of blocks.filter(({ type }: { type: string }) => type === 'section')) {
      expect(text.text.length).toBeLessThanOrEqual(3000)
      expect(text.text).not.toMatch(/<[!@]/)
      // Else Slack looks for mentions such as @here, and for links, by itself.
      expect(text.verbatim).toBe(true)
    }
  })

  test.each([
    [400, 'invalid_payload', { retryable: false }],
    [404, 'no_service', { retryable: false }],
    [500, 'rollup_error', { retryable: true }],
  ])('%d %s', async (status, answer, expected) => {
    const { url } = await serve((_, response) => void response.writeHead(status).end(answer))
    const error = await failure(slack({ url }))
    expect(error).toMatchObject(expected)
    expect(error.message).toBe(`slack answered ${status}: ${answer}`)
  })

  test('429 says when to come back', async () => {
    const { url } = await serve((_, response) => void response.writeHead(429, { 'retry-after': '30' }).end())
    expect(await failure(slack({ url }))).toMatchObject({ retryable: true, retryAfter: 30_000 })
  })
})

describe('dingtalk, as documented', () => {
  test('markdown, signed with the secret over time and secret, in the query', async () => {
    const secret = 'SEC000000000000000000000'
    const { url, requests } = await serve((request, response) => {
      const time = request.url.searchParams.get('timestamp') ?? ''
      const sign = createHmac('sha256', secret).update(`${time}\n${secret}`).digest('base64')
      const fresh = Math.abs(Date.now() - Number(time)) < 3_600_000
      errcode(fresh && request.url.searchParams.get('sign') === sign ? 0 : 310000, 'sign not match')(
        request,
        response,
      )
    })
    await send(dingtalk({ url, secret, at: ['13800000000'], app: 'shop' }))
    const { body } = requests[0] as Request
    expect(requests[0]?.url.searchParams.get('access_token')).toBe('abcdef123456')
    expect(body).toMatchObject({ msgtype: 'markdown', at: { atMobiles: ['13800000000'], isAtAll: false } })
    expect(body.markdown.title).toBe('[shop] daily-report')
    expect(body.markdown.text).toContain('运行以错误结束')
    expect(body.markdown.text).toContain('(https://wiki.example/run%28book%29)')
    expect(body.markdown.text).toContain('@13800000000')
    const error = await failure(dingtalk({ url, secret: 'SECwrong' }))
    expect(error).toMatchObject({ message: 'dingtalk refused: 310000 sign not match', retryable: false })
  })

  test('a known signature', () => {
    // echo -n "$ts\n$secret" | openssl dgst -sha256 -hmac "$secret" -binary | base64
    const { searchParams } = new URL(
      signed('https://oapi.dingtalk.com/robot/send?access_token=x', 'SECabc', 1_700_000_000_000),
    )
    const expected = createHmac('sha256', 'SECabc').update('1700000000000\nSECabc').digest('base64')
    expect(searchParams.get('sign')).toBe(expected)
    expect(searchParams.get('timestamp')).toBe('1700000000000')
  })

  test('stays below 20,000 bytes and mentions nobody by accident', async () => {
    const { url, requests } = await serve(errcode(0))
    await send(dingtalk({ url }), message(storm))
    expect(Buffer.byteLength(requests[0]?.text ?? '')).toBeLessThanOrEqual(20_000)
    expect(requests[0]?.body.markdown.text).toMatch(/另有 \d+ 个/)
    expect(requests[0]?.body.markdown.text).not.toMatch(/@all|\]\(http:\/\/evil/)
  })

  test('too fast: waits a minute', async () => {
    const { url } = await serve(errcode(130101, 'send too fast'))
    expect(await failure(dingtalk({ url }))).toMatchObject({ retryAfter: 60_000 })
  })
})

describe('wecom, as documented', () => {
  test('markdown of at most 4,096 bytes, no character cut', async () => {
    const { url, requests } = await serve((request, response) => {
      const long = Buffer.byteLength(request.body.markdown.content) > 4096
      errcode(long ? 40058 : 0, long ? 'markdown.content exceed max length 4096' : 'ok')(request, response)
    })
    await send(wecom({ url }), message(storm))
    await send(
      wecom({ url }),
      message([
        notice({
          errors: [{ ...(notice().errors[0] as Notice['errors'][0]), message: '错误🙂'.repeat(5000) }],
        }),
      ]),
    )
    for (const { body } of requests) {
      expect(Buffer.byteLength(body.markdown.content)).toBeGreaterThan(700)
      expect(body.markdown.content).not.toContain('\ufffd')
    }
  })

  test.each([
    [93000, 'invalid webhook url', { retryable: false }],
    [45009, 'api freq out of limit', { retryAfter: 60_000 }],
    [-1, 'system busy', { retryable: true }],
  ])('errcode %d in a 200', async (code, errmsg, expected) => {
    const { url } = await serve(errcode(code, errmsg))
    const error = await failure(wecom({ url }))
    expect(error).toMatchObject(expected)
    expect(error.message).toBe(`wecom refused: ${code} ${errmsg}`)
  })
})

describe('feishu, as documented', () => {
  const secret = 'feishu-secret'
  const robot = (request: Request, response: ServerResponse) => {
    const { timestamp, sign } = request.body
    const expected = createHmac('sha256', `${timestamp}\n${secret}`).digest('base64')
    const fresh = Math.abs(Date.now() / 1000 - Number(timestamp)) < 3600
    const long = Buffer.byteLength(request.text) > 20 * 1024
    const answer = long
      ? { code: 9499, msg: 'Bad Request' }
      : fresh && sign === expected
        ? { code: 0, msg: 'success', data: {} }
        : { code: 19021, msg: 'sign match fail or timestamp is not within one hour from current time' }
    response.end(JSON.stringify(answer))
  }

  test('a card, signed in the body with seconds', async () => {
    const { url, requests } = await serve(robot)
    await send(feishu({ url, secret }))
    const { card, msg_type } = requests[0]?.body ?? {}
    expect(msg_type).toBe('interactive')
    expect(card.header).toMatchObject({
      template: 'red',
      title: { tag: 'plain_text', content: 'Escapement · daily-report' },
    })
    await send(
      feishu({ url, secret }),
      message([notice({ status: 'recovered', recoveredAt: new Date('2026-11-20T02:00:00Z') })]),
    )
    expect(requests[1]?.body.card.header.template).toBe('green')
    expect(await failure(feishu({ url, secret: 'wrong' }))).toMatchObject({
      message: expect.stringContaining('19021'),
      retryable: false,
    })
  })

  test('stays below 20 KB', async () => {
    const { url, requests } = await serve(robot)
    await send(feishu({ url, secret }), message(storm))
    expect(Buffer.byteLength(requests[0]?.text ?? '')).toBeGreaterThan(10_000)
  })

  test('too fast', async () => {
    const { url } = await serve(
      (_, response) => void response.end(JSON.stringify({ code: 11232, msg: 'frequency limited' })),
    )
    expect(await failure(feishu({ url }))).toMatchObject({ retryAfter: 60_000 })
  })
})

describe('generic webhook', () => {
  test('JSON with a signature that the receiver can check, and an idempotency key', async () => {
    const { url, requests } = await serve((_, response) => void response.writeHead(204).end())
    await send(webhook({ url, secret: 'hmac-secret', headers: { authorization: 'Bearer t0ken' } }))
    const { headers, text, body } = requests[0] as Request
    expect(headers['idempotency-key']).toBe('m-1')
    expect(headers.authorization).toBe('Bearer t0ken')
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-escapement-signature'])) ?? []
    expect(v1).toBe(createHmac('sha256', 'hmac-secret').update(`${t}.${text}`).digest('hex'))
    expect(body).toMatchObject({
      id: 'm-1',
      at: '2026-11-20T01:00:30.000Z',
      notices: [{ kind: 'failed', subject: 'daily-report', errors: [{ message: 'connect ECONNREFUSED' }] }],
    })
  })

  test('is cut to its limit: stacks first, then notices, and says how many', async () => {
    const { url, requests } = await serve((_, response) => void response.end())
    await send(webhook({ url, limit: 50_000 }), message(storm))
    expect(Buffer.byteLength(requests[0]?.text ?? '')).toBeLessThanOrEqual(50_000)
    const { notices, omitted } = requests[0]?.body ?? {}
    expect(notices.length + omitted).toBe(300)
    expect(notices.length).toBeGreaterThan(20)
  })

  test('a redirect is not followed: it could carry the secrets elsewhere', async () => {
    const elsewhere = await serve((_, response) => void response.end())
    const { url } = await serve(
      (_, response) => void response.writeHead(307, { location: elsewhere.url }).end(),
    )
    expect(await failure(webhook({ url }))).toMatchObject({
      message: 'webhook answered 307: ',
      retryable: false,
    })
    expect(elsewhere.requests).toEqual([])
  })

  test('a server that never answers is given up when the signal aborts', async () => {
    const controller = new AbortController()
    const { url } = await serve(() => controller.abort(new Error('took too long')))
    await expect(send(webhook({ url }), message(), controller.signal)).rejects.toThrow('took too long')
  })

  test('an endless answer is not read to its end', async () => {
    const { url } = await serve((_, response) => {
      response.on('error', () => {})
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      }
      response.on('drain', more)
      more()
    })
    await send(webhook({ url }))
  })
})

describe('secrets', () => {
  const vendors = [slack, dingtalk, wecom, feishu, webhook]

  test.each(vendors.map((make) => [make.name, make] as const))(
    '%s shows neither address nor key, whatever is answered',
    async (_, make) => {
      const answers = [
        (request: Request, response: ServerResponse) =>
          void response
            .writeHead(400)
            .end(
              `no route ${request.url.pathname}${request.url.search} ${decodeURIComponent(request.url.href)}`,
            ),
        (request: Request, response: ServerResponse) =>
          void response.end(
            JSON.stringify({ errcode: 1, code: 1, errmsg: request.url.href, msg: request.text }),
          ),
        (_: Request, response: ServerResponse) => void response.destroy(),
      ]
      for (const answer of answers) {
        const { url } = await serve(answer)
        const secret = 'SECRET-sign-key'
        const signs = make !== slack && make !== wecom
        const error = await send(make({ url, ...(signs && { secret }) } as never)).catch(
          (error: unknown) => error,
        )
        const shown = error instanceof Error ? `${error.message} ${error.stack} ${String(error.cause)}` : ''
        for (const hidden of ['T0PS3CRETKEY', 'abcdef123456', secret]) expect(shown).not.toContain(hidden)
      }
    },
  )

  test.each(vendors.map((make) => [make.name, make] as const))(
    '%s refuses a bad address without showing it',
    (_, make) => {
      for (const url of ['ftp://host/T0PS3CRETKEY', 'T0PS3CRETKEY', '', undefined]) {
        expect(() => make({ url } as never)).toThrow(/url must be an http\(s\) address$/)
      }
    },
  )

  test('a user and a password in the address are sent as their header', async () => {
    const { url, requests } = await serve((_, response) => response.end('ok'))
    await send(webhook({ url: url.replace('//', '//user:p%40ss@') }))
    expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`)
  })

  test('redactor', () => {
    const hide = redactor([
      'https://user:p%40ssword@host/services/T000/B000/XXXXXXXX?key=0123-456',
      undefined,
      '',
    ])
    expect(hide('at https://user:p%40ssword@host/services/T000/B000/XXXXXXXX?key=0123-456')).toBe(
      'at [redacted]',
    )
    expect(hide('p@ssword, XXXXXXXX, 0123-456, /services/T000/B000/XXXXXXXX')).toBe(
      '[redacted], [redacted], [redacted], [redacted]',
    )
    expect(hide('nothing to hide')).toBe('nothing to hide')
  })
})

describe('rate', () => {
  test('is in no window exceeded', async () => {
    vi.useFakeTimers()
    const rate = { messages: 8, per: 400 }
    const times: number[] = []
    const ask = async () => {
      await turn('http://a.example/2', rate, new AbortController().signal)
      times.push(performance.now())
    }
    const asked = Array.from({ length: 16 }, ask)
    await vi.advanceTimersByTimeAsync(5_000)
    // Who was silent for long may not make up for it.
    asked.push(...Array.from({ length: 16 }, ask))
    await vi.advanceTimersByTimeAsync(5_000)
    await Promise.all(asked)
    expect(times).toHaveLength(32)
    // Timers count whole milliseconds.
    for (const [i, time] of times.entries()) expect((times[i + 8] ?? Infinity) - time).toBeGreaterThan(398)
  })

  test('of an address is shared by all its channels', async () => {
    const { url, requests } = await serve(errcode(0))
    const rate = { messages: 8, per: 400 }
    const channels = [dingtalk({ url, rate, name: 'a' }), dingtalk({ url, rate, name: 'b' })]
    const start = performance.now()
    await Promise.all(Array.from({ length: 16 }, (_, i) => send(channels[i % 2] as Channel)))
    expect(requests).toHaveLength(16)
    // Two at once, then six in 400 ms; with a rate each it would be half of that.
    expect(performance.now() - start).toBeGreaterThan(14 * (400 / 6) - 20)
  })

  test('who waits can be called off', async () => {
    const controller = new AbortController()
    const rate = { messages: 1, per: 3_600_000 }
    await turn('http://a.example/1', rate, controller.signal)
    const waiting = turn('http://a.example/1', rate, controller.signal)
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })
})
