import type { ErrorFacts, Message, Notice } from '@escapement/alerts'

const at = (time: string) => new Date(`2026-11-20T${time}Z`)

export const refused: ErrorFacts = {
  attempt: 1,
  name: 'Error',
  message: 'connect ECONNREFUSED 10.0.0.7:5432',
  code: 'ECONNREFUSED',
  stack: [
    'Error: connect ECONNREFUSED 10.0.0.7:5432',
    '    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)',
    '    at Client._connect (/srv/shop/node_modules/pg/lib/client.js:132:17)',
    '    at buildReport (/srv/shop/src/reports/daily-report.ts:48:22)',
    '    at async handler (/srv/shop/src/jobs.ts:17:3)',
  ].join('\n'),
  causes: ['the primary is down for maintenance'],
}

export function notice(parts: Partial<Notice> = {}): Notice {
  return {
    incident: '5d0a4b6e-0001-4000-8000-000000000001',
    kind: 'failed',
    status: 'open',
    severity: 'error',
    subject: 'daily-report',
    told: 0,
    escalated: false,
    count: 1,
    openedAt: at('01:03:12'),
    lastAt: at('01:03:12'),
    recoveredAt: undefined,
    job: {
      name: 'daily-report',
      description: 'Adds up the sales of the day and sends them to the shops',
      owner: 'Data team <data@example.org>',
      runbook: 'https://wiki.example.org/runbooks/daily-report',
      group: 'reports',
      schedule: '0 9 * * *',
      timezone: 'Asia/Shanghai',
      next: new Date('2026-11-21T01:00:00Z'),
    },
    run: {
      id: '019a9f4e-7c00-7d3c-9b1a-3f2c5a7e9d10',
      tick: 'daily-report@2026-11-20T01:00:00.000Z',
      scheduledAt: at('01:00:00'),
      cause: 'schedule',
      outcome: 'failed',
      reason: undefined,
      attempts: 3,
      startedAt: at('01:00:00.012'),
      endedAt: at('01:03:12.480'),
      duration: 192_468,
      late: 12,
      instance: 'web-1:4711:k3xq9a',
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      traceUrl: 'https://jaeger.example.org/trace/4bf92f3577b34da6a3ce929d0e0e4736',
    },
    errors: [
      {
        ...refused,
        message: 'the statement took longer than 30 s',
        code: '57014',
        name: 'DatabaseError',
        stack: undefined,
        causes: [],
      },
      { ...refused, attempt: 2, causes: [] },
      { ...refused, attempt: 3 },
    ],
    detail: undefined,
    lastSuccess: new Date('2026-11-19T01:02:51Z'),
    ...parts,
  }
}

export function message(notices: Notice[] = [notice()], parts: Partial<Message> = {}): Message {
  const { kind, subject } = notices[0] as Notice
  return {
    id: 'b6a7c8d9-0000-4000-8000-000000000001',
    at: at('01:03:42'),
    instance: 'web-1:4711:k3xq9a',
    severity: 'error',
    notices,
    thread: { id: 'b6a7c8d9-0000-4000-8000-000000000001', incidents: notices.length, kind, subject },
    references: [],
    ...parts,
  }
}

/** One of each look. */
export const samples: Record<string, Message> = {
  failed: message(),
  recovered: message([notice({ status: 'recovered', told: 1, count: 3, recoveredAt: at('04:00:31') })]),
  slow: message(
    [
      notice({
        kind: 'slow',
        severity: 'warning',
        errors: [],
        run: {
          ...(notice().run as NonNullable<Notice['run']>),
          outcome: undefined,
          endedAt: undefined,
          attempts: 1,
          duration: 1_812_000,
        },
      }),
    ],
    { severity: 'warning' },
  ),
  escalated: message([notice({ severity: 'critical', count: 12, told: 3, escalated: true })], {
    severity: 'critical',
  }),
  channel: message([
    notice({
      kind: 'channel-failed',
      subject: 'slack',
      job: undefined,
      run: undefined,
      lastSuccess: undefined,
      errors: [
        {
          ...refused,
          message: 'slack answered 500: internal_error',
          code: undefined,
          stack: undefined,
          causes: [],
        },
      ],
    }),
  ]),
  several: message([
    notice(),
    notice({
      kind: 'missed',
      severity: 'warning',
      subject: 'clean-logs',
      errors: [],
      count: 3,
      run: undefined,
    }),
    notice({ status: 'recovered', subject: 'sync-orders', told: 1, recoveredAt: at('01:03:40') }),
  ]),
  long: message([
    notice({
      subject: 'without-any-place-to-break-'.repeat(7),
      detail: 'x'.repeat(400),
      errors: [
        {
          ...refused,
          message: 'y'.repeat(2000),
          stack: `Error: ${'z'.repeat(3000)}`,
          causes: ['c'.repeat(500)],
        },
      ],
    }),
  ]),
  storm: message(
    Array.from({ length: 200 }, (_, i) =>
      notice({
        subject: `import-${String(i + 1).padStart(3, '0')}`,
        count: 1 + ((i * 7) % 50),
        status: i > 190 ? 'recovered' : 'open',
        severity: i % 5 === 4 ? 'warning' : 'error',
      }),
    ),
  ),
}
