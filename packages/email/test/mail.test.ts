import { describe as inWords, type Message } from '@escapement/alerts'
import { simpleParser } from 'mailparser'
import { createTransport } from 'nodemailer'
import { describe, expect, test, vi } from 'vitest'
import { email } from '../src/index.ts'
import { message, notice, refused, samples } from './samples.ts'

const from = 'Jobs <jobs@example.org>'
const to = 'ops@example.org'

/** What a reader's program gets. */
async function mailOf(sent: Message, options: object = {}) {
  let raw = ''
  const stream = createTransport({ streamTransport: true, buffer: true })
  const transport = {
    async sendMail(mail: object) {
      const info = await stream.sendMail(mail)
      raw = String(info.message)
      return {}
    },
  }
  await email({ transport, from, to, ...options }).send(sent, { signal: new AbortController().signal })
  return { raw, mail: await simpleParser(raw) }
}

const thread = { id: 'aaaa', incidents: 1, kind: 'failed', subject: 'daily-report' } as const

describe('threads', () => {
  test('the first mail opens one, all others answer to it under the same subject', async () => {
    const first = await mailOf(message(undefined, { id: 'aaaa', thread }))
    const later = [
      message([notice({ told: 1, count: 9 })], { id: 'bbbb', thread, references: ['aaaa'] }),
      message([notice({ told: 2, status: 'recovered' })], { id: 'cccc', thread, references: ['aaaa'] }),
    ]
    expect(first.mail.messageId).toBe('<aaaa@example.org>')
    expect(first.mail.inReplyTo).toBeUndefined()
    expect(first.mail.subject).toBe('[Escapement] daily-report: failed')
    for (const sent of later) {
      const { mail } = await mailOf(sent)
      expect(mail.messageId).toBe(`<${sent.id}@example.org>`)
      expect(mail.inReplyTo).toBe('<aaaa@example.org>')
      expect(mail.references).toBe('<aaaa@example.org>')
      expect(mail.subject).toBe('Re: [Escapement] daily-report: failed')
    }
  })

  test('one of several incidents refers to the threads these had', async () => {
    const { mail } = await mailOf(
      message([notice(), notice({ subject: 'other' })], {
        id: 'dddd',
        thread: { id: 'dddd', incidents: 2, kind: 'failed', subject: 'daily-report' },
        references: ['aaaa', 'bbbb'],
      }),
    )
    expect(mail.subject).toBe('[Escapement] 2 incidents')
    expect(mail.inReplyTo).toBeUndefined()
    expect(mail.references).toEqual(['<aaaa@example.org>', '<bbbb@example.org>'])
  })

  test('is known as automatic, and as urgent when it is critical', async () => {
    const { mail, raw } = await mailOf(samples.escalated as Message)
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated')
    expect(mail.headers.get('x-auto-response-suppress')).toBe('All')
    expect(raw).toMatch(/^Importance: high$/im)
  })
})

describe('safety', () => {
  const evil = 'x\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script><img src=x onerror=alert(2)>"\'&'

  test('names, errors and facts with line breaks and HTML add no header and no markup', async () => {
    const job = notice().job as NonNullable<ReturnType<typeof notice>['job']>
    const run = notice().run as NonNullable<ReturnType<typeof notice>['run']>
    const error = { ...refused, name: evil, code: evil, message: evil, stack: evil, causes: [evil] }
    const sent = message(
      [
        notice({
          subject: evil,
          detail: evil,
          job: {
            ...job,
            name: evil,
            description: evil,
            owner: evil,
            group: evil,
            runbook: evil,
            schedule: evil,
          },
          run: { ...run, id: evil, instance: evil, traceId: evil, traceUrl: `javascript:alert(1)//${evil}` },
          errors: [error, { ...error, attempt: 2 }],
        }),
      ],
      {
        id: evil,
        instance: evil,
        thread: { id: evil, incidents: 1, kind: 'failed', subject: evil },
        references: [evil],
      },
    )
    for (const one of [
      sent,
      message(
        Array.from({ length: 9 }, () => sent.notices[0] as never),
        sent,
      ),
    ]) {
      const { mail, raw } = await mailOf(one, { app: evil })
      const head = raw.slice(0, raw.indexOf('\r\n\r\n'))
      expect(head).not.toMatch(/^bcc:/im)
      expect(mail.bcc).toBeUndefined()
      expect(mail.html).not.toMatch(/<script|<img|javascript:/i)
      expect(mail.html).toContain('&lt;script&gt;')
      expect(mail.subject?.length).toBeLessThan(220)
    }
  })

  test('control characters, terminal colours, reversed text and broken pairs are taken out', async () => {
    const message_ = '\u001b[31mred\u001b[0m \u202eevil\u0000 \ud800 end'
    const { mail } = await mailOf(message([notice({ errors: [{ ...refused, message: message_ }] })]))
    expect(mail.text).toContain('red evil \ufffd end')
    expect(mail.html).toContain('red evil \ufffd end')
  })

  test('a runbook that is no web address is shown, not linked', async () => {
    const job = notice().job as NonNullable<ReturnType<typeof notice>['job']>
    for (const runbook of ['see the red folder', 'javascript:alert(1)', 'file:///etc/passwd']) {
      const { mail } = await mailOf(message([notice({ job: { ...job, runbook } })]))
      expect(mail.html).toContain(runbook)
      expect(mail.html).not.toMatch(/href="(?!https:)/)
    }
  })

  test('nothing is read from files or addresses', async () => {
    const seen: Record<string, unknown>[] = []
    const transport = {
      async sendMail(mail: object) {
        seen.push(mail as never)
        return {}
      },
    }
    await email({ transport, from, to }).send(message(), { signal: new AbortController().signal })
    expect(seen[0]).toMatchObject({ disableFileAccess: true, disableUrlAccess: true })
    for (const part of ['html', 'text']) expect(typeof seen[0]?.[part]).toBe('string')
  })

  test.each([
    'a@example.org\r\nBcc: victim@example.org',
    'Ops\n<a@example.org>',
    'Ops <a@example.org>, <b>',
    'a@example.org b@example.org',
    'group: a@example.org;',
    'not an address',
    '',
    undefined,
    42,
    [],
    [undefined],
  ])('address %j is refused', (address) => {
    for (const option of ['from', 'to', 'cc', 'replyTo'] as const) {
      if (option !== 'from' && option !== 'to' && address === undefined) continue
      expect(() => email({ url: 'smtp://localhost', from, to, [option]: address } as never)).toThrow(
        expect.objectContaining({
          code: 'ERR_ESCAPEMENT_OPTION',
          message: expect.stringContaining(`${option} must be a mail address`),
        }),
      )
    }
  })

  test('several addresses, with names and commas in them', async () => {
    const { mail } = await mailOf(message(), {
      to: '"Ops, first line" <ops@example.org>, b@example.org',
      cc: ['运维 <c@example.org>'],
    })
    const list = (field: typeof mail.to) => [field].flat().flatMap((one) => one?.value ?? [])
    expect(list(mail.to)).toMatchObject([
      { name: 'Ops, first line', address: 'ops@example.org' },
      { address: 'b@example.org' },
    ])
    expect(list(mail.cc)).toMatchObject([{ name: '运维', address: 'c@example.org' }])
  })

  test.each([
    [{}, /needs one of transport and url/],
    [{ url: 'smtp://x', transport: {} }, /needs one of transport and url/],
    [{ url: 'http://user:s3cret@x' }, /url must be an address like smtp:/],
    [{ transport: 'smtp://x' }, /transport must be an object/],
    [{ url: 'smtp://x', locale: 'fr' }, /locale must be 'en' or 'zh'/],
  ])('%j is refused', (options, text) => {
    expect(() => email({ from, to, ...options } as never)).toThrow(text)
    expect(() => email({ from, to, ...options } as never)).not.toThrow(/s3cret/)
  })
})

test('a transport that never settles is given up after 60 s', async () => {
  vi.useFakeTimers()
  try {
    let signal: AbortSignal | undefined
    const transport = {
      sendMail: (mail: { signal?: AbortSignal }) => {
        signal = mail.signal
        return new Promise<undefined>(() => {})
      },
    }
    const sent = email({ transport, from, to }).send(message(), { signal: new AbortController().signal })
    const failed = expect(sent).rejects.toThrow('the mail was not taken within 60 s')
    await vi.advanceTimersByTimeAsync(59_999)
    expect(signal?.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await failed
    expect(signal?.aborted).toBe(true)
  } finally {
    vi.useRealTimers()
  }
})

describe('content', () => {
  test.each(Object.entries(samples))(
    '%s: HTML and text tell the same, within what Gmail shows',
    async (_, sent) => {
      const { mail } = await mailOf(sent)
      expect(Buffer.byteLength(String(mail.html))).toBeLessThan(102_000)
      const { cards, summary } = inWords(sent)
      for (const body of [String(mail.html), String(mail.text)]) {
        for (const { title } of cards.slice(0, 80)) expect(body).toContain(title)
        if (cards.length > 1) expect(body).toContain(summary)
      }
    },
  )

  test('also when everything in it is long and has to be escaped', async () => {
    const long = '&'.repeat(3000)
    const error = {
      ...refused,
      name: long,
      code: long,
      message: long,
      stack: long.repeat(2),
      causes: [long, long, long],
    }
    const job = notice().job as NonNullable<ReturnType<typeof notice>['job']>
    const one = notice({
      subject: long,
      detail: long,
      job: { ...job, description: long, owner: long, group: long, schedule: long },
      errors: Array.from({ length: 10 }, (_, i) => ({ ...error, attempt: i + 1 })),
    })
    for (const count of [1, 2, 4, 5, 150, 1000]) {
      const { mail } = await mailOf(message(Array.from({ length: count }, () => one)))
      expect(Buffer.byteLength(String(mail.html))).toBeLessThan(102_000)
    }
  })

  test('200 incidents: as many as there is room for, and how many more', async () => {
    const { mail } = await mailOf(samples.storm as Message)
    for (const body of [String(mail.html), String(mail.text)]) {
      const last = Math.max(...[...body.matchAll(/import-(\d+)/g)].map(([, number]) => Number(number)))
      expect(last).toBeGreaterThan(80)
      if (last < 200) expect(body).toContain(`and ${200 - last} more`)
    }
  })

  test.each(['x', '&', '=', 'é', '漢', '😀'])(
    'a mail full of %s is below 102,000 bytes as it is sent',
    async (char) => {
      const long = char.repeat(3000)
      const error = {
        ...refused,
        name: long,
        message: long,
        stack: long.repeat(2),
        causes: [long, long, long],
      }
      const job = notice().job as NonNullable<ReturnType<typeof notice>['job']>
      const one = notice({
        detail: long,
        job: { ...job, description: long, owner: long, group: long, schedule: long },
        errors: Array.from({ length: 10 }, (_, i) => ({ ...error, attempt: i + 1 })),
      })
      for (const count of [1, 2, 4, 5, 60, 1000]) {
        const transport = createTransport({ streamTransport: true, buffer: true })
        let sent = Infinity
        const sendMail = async (mail: unknown) => {
          const info = await transport.sendMail(mail as never)
          sent = (info.message as Buffer).length
          return { accepted: [to], rejected: [] }
        }
        const notices = Array.from({ length: count }, () => one)
        const { signal } = new AbortController()
        await email({ transport: { sendMail } as never, from, to }).send(message(notices), { signal })
        expect(sent).toBeLessThan(102_000)
      }
    },
  )

  test('the tick in the zone of the job and in UTC; attempts; last success; next run', async () => {
    const { mail } = await mailOf(message())
    expect(mail.text).toMatchInlineSnapshot(`
      "daily-report [failed]
      Adds up the sales of the day and sends them to the shops
      The run ended with an error after 3 attempts.

          Error ECONNREFUSED: connect ECONNREFUSED 10.0.0.7:5432
          Caused by: the primary is down for maintenance

      Tick          Fri, 20 Nov 2026, 09:00:00 GMT+8
      Tick in UTC   Fri, 20 Nov 2026, 01:00:00 UTC
      Started       Fri, 20 Nov 2026, 09:00:00 GMT+8
      Took          3 min 12 s
      Last success  Thu, 19 Nov 2026, 09:02:51 GMT+8
      Next run      Sat, 21 Nov 2026, 09:00:00 GMT+8
      Schedule      0 9 * * * (Asia/Shanghai)
      Owner         Data team <data@example.org>
      Group         reports
      Instance      web-1:4711:k3xq9a
      Run           019a9f4e-7c00-7d3c-9b1a-3f2c5a7e9d10
      Trace         4bf92f3577b34da6a3ce929d0e0e4736

      Open runbook: https://wiki.example.org/runbooks/daily-report
      Open trace: https://jaeger.example.org/trace/4bf92f3577b34da6a3ce929d0e0e4736

      Attempt 1: DatabaseError 57014: the statement took longer than 30 s
      Attempt 2: Error ECONNREFUSED: connect ECONNREFUSED 10.0.0.7:5432
      Attempt 3: Error ECONNREFUSED: connect ECONNREFUSED 10.0.0.7:5432

      Stack
          Error: connect ECONNREFUSED 10.0.0.7:5432
              at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)
              at Client._connect (/srv/shop/node_modules/pg/lib/client.js:132:17)
              at buildReport (/srv/shop/src/reports/daily-report.ts:48:22)
              at async handler (/srv/shop/src/jobs.ts:17:3)

      -- 
      Sent by Escapement on web-1:4711:k3xq9a
      "
    `)
  })

  test('in Chinese', async () => {
    const { mail } = await mailOf(message(), { locale: 'zh', app: '商城' })
    expect(mail.subject).toBe('[商城] daily-report：运行失败')
    expect(mail.text).toMatchInlineSnapshot(`
      "daily-report [运行失败]
      Adds up the sales of the day and sends them to the shops
      运行以错误结束（共尝试 3 次）。

          Error ECONNREFUSED: connect ECONNREFUSED 10.0.0.7:5432
          起因: the primary is down for maintenance

      计划时间        2026年11月20日周五 09:00:00 GMT+8
      计划时间 (UTC)  2026年11月20日周五 01:00:00 UTC
      开始            2026年11月20日周五 09:00:00 GMT+8
      耗时            3 分钟 12 秒
      上次成功        2026年11月19日周四 09:02:51 GMT+8
      下次运行        2026年11月21日周六 09:00:00 GMT+8
      计划            0 9 * * * (Asia/Shanghai)
      负责人          Data team <data@example.org>
      分组            reports
      实例            web-1:4711:k3xq9a
      运行 ID         019a9f4e-7c00-7d3c-9b1a-3f2c5a7e9d10
      链路 ID         4bf92f3577b34da6a3ce929d0e0e4736

      打开处理手册: https://wiki.example.org/runbooks/daily-report
      查看链路: https://jaeger.example.org/trace/4bf92f3577b34da6a3ce929d0e0e4736

      第 1 次尝试: DatabaseError 57014: the statement took longer than 30 s
      第 2 次尝试: Error ECONNREFUSED: connect ECONNREFUSED 10.0.0.7:5432
      第 3 次尝试: Error ECONNREFUSED: connect ECONNREFUSED 10.0.0.7:5432

      调用栈
          Error: connect ECONNREFUSED 10.0.0.7:5432
              at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)
              at Client._connect (/srv/shop/node_modules/pg/lib/client.js:132:17)
              at buildReport (/srv/shop/src/reports/daily-report.ts:48:22)
              at async handler (/srv/shop/src/jobs.ts:17:3)

      -- 
      由 Escapement 发送 · web-1:4711:k3xq9a
      "
    `)
  })
})
