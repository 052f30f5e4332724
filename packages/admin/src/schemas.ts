type Schema = Readonly<Record<string, unknown>>

const string: Schema = { type: 'string' }
const number: Schema = { type: 'number' }
const integer: Schema = { type: 'integer' }
const boolean: Schema = { type: 'boolean' }
const time: Schema = { type: 'string', format: 'date-time' }
const anything: Schema = {}
const list = (items: Schema): Schema => ({ type: 'array', items })
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })

/** An object: a name with `?` may be left out. */
function object(fields: Readonly<Record<string, Schema>>): Schema {
  const names = Object.keys(fields)
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name.replace('?', ''), fields[name]])),
    required: names.filter((name) => !name.endsWith('?')),
    additionalProperties: false,
  }
}

const page = (items: Schema, more: Readonly<Record<string, Schema>> = {}): Schema =>
  object({ items: list(items), 'next?': string, 'previous?': string, ...more })

const pause = object({ 'by?': string, 'reason?': string, 'until?': time })
const asked = object({ 'by?': string, 'reason?': string })
const error = ref('Error')
const progress = object({ fraction: number, 'note?': string, 'at?': time })
const histogram: Schema = { type: 'object', additionalProperties: integer }
const note = object({ kind: string, text: string })
const upcoming = object({ job: string, at: time, 'note?': string, local: string, notes: list(note) })
const tick = object({ job: string, at: time, 'note?': string })
const health = object({
  state: string,
  live: boolean,
  ready: boolean,
  degraded: list(string),
  lag: number,
  inFlight: integer,
  jobs: integer,
})
const jobFields: Readonly<Record<string, Schema>> = {
  name: string,
  'description?': string,
  'owner?': string,
  'group?': string,
  'role?': string,
  'runbook?': string,
  'schedule?': string,
  'words?': object({ en: string, zh: string }),
  'timezone?': string,
  'next?': time,
  running: integer,
  'paused?': pause,
  'last?': object({ outcome: string, at: time }),
  recent: list(object({ id: string, outcome: string, at: time, 'duration?': number })),
  'usual?': number,
  'overdue?': time,
  failing: boolean,
}

/** The bodies of answers and requests, as JSON Schema. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Problem: object({ type: string, title: string, status: integer, detail: string, code: string }),
  Data: { description: 'What the run gets as its data; the schema of the job checks it.' },
  Pause: object({
    'reason?': string,
    'until?': { type: ['string', 'integer'] },
    'for?': { type: ['string', 'integer'] },
  }),
  Reason: object({ 'reason?': string }),
  Accepted: object({ id: string, job: string, durable: boolean }),
  Many: object({
    dryRun: boolean,
    runs: list(object({ id: string, job: string, 'done?': string, 'refused?': string })),
    more: boolean,
  }),
  RunBrief: object({
    id: string,
    job: string,
    'outcome?': string,
    state: string,
    scheduledAt: time,
    'startedAt?': time,
    'endedAt?': time,
    'duration?': number,
    instance: string,
    'reason?': string,
    'count?': integer,
    'until?': time,
    'error?': string,
    'progress?': progress,
  }),
  Run: object({
    id: string,
    key: string,
    job: string,
    scheduledAt: time,
    cause: string,
    state: string,
    'outcome?': string,
    'reason?': string,
    attempt: integer,
    restarts: integer,
    'startedAt?': time,
    'endedAt?': time,
    late: number,
    'duration?': number,
    'until?': time,
    'count?': integer,
    'error?': error,
    errors: list(error),
    'traceId?': string,
    'traceUrl?': string,
    'fence?': integer,
    instance: string,
    'data?': anything,
    'result?': anything,
    'progress?': progress,
    'asked?': asked,
    'parent?': string,
    'retryOf?': string,
    logLines: integer,
    'cut?': object({ 'data?': string, 'result?': string, 'log?': string }),
  }),
  Error: object({
    name: string,
    message: string,
    'code?': string,
    'stack?': string,
    'causes?': list(ref('Error')),
  }),
  Runs: page(ref('Run')),
  Logs: page(object({ at: time, level: string, message: string, 'fields?': { type: 'object' } })),
  JobBrief: object(jobFields),
  Jobs: page(ref('JobBrief')),
  Job: object({
    ...jobFields,
    follows: list(object({ job: string, on: string })),
    followers: list(string),
    policies: { type: 'object' },
    'inputSchema?': anything,
  }),
  Upcoming: page(upcoming),
  Explain: object({
    at: time,
    local: string,
    fires: boolean,
    'next?': time,
    answer: string,
    reasons: list(object({ kind: string, text: string, 'run?': string })),
    runs: list(ref('RunBrief')),
  }),
  Preview: object({ schedule: string, timezone: string, 'words?': string, upcoming: list(upcoming) }),
  Stats: page(
    object({
      at: time,
      'job?': string,
      outcomes: histogram,
      durations: histogram,
      lateness: histogram,
      runs: integer,
      'p50?': number,
      'p95?': number,
    }),
  ),
  Incidents: page(
    object({
      key: string,
      version: integer,
      job: string,
      kind: string,
      count: integer,
      since: time,
      lastAt: time,
      message: string,
      'recoveredAt?': time,
    }),
  ),
  Ticks: page(tick),
  Instances: page(
    object({
      instance: string,
      host: string,
      pid: integer,
      'version?': string,
      'roles?': list(string),
      startedAt: time,
      seenAt: time,
      'skew?': number,
      lag: number,
      runs: list(object({ id: string, job: string })),
      jobs: { type: 'object', additionalProperties: string },
    }),
    { events: list(object({ at: time, instance: string, kind: string, 'note?': string })) },
  ),
  Audit: page(
    object({
      id: string,
      at: time,
      action: string,
      'job?': string,
      'run?': string,
      'by?': string,
      'reason?': string,
      instance: string,
      'refused?': string,
    }),
  ),
  Overview: object({
    now: time,
    app: string,
    instance: string,
    timezone: string,
    health,
    degraded: list(string),
    scope: object({ shared: boolean, durable: boolean }),
    'paused?': pause,
    actor: string,
    role: { type: 'string', enum: ['viewer', 'operator'] },
    today: histogram,
    verdict: object({
      level: { type: 'string', enum: ['well', 'attention', 'bad'] },
      jobs: integer,
      failing: integer,
      overdue: integer,
      paused: integer,
      running: integer,
      runs: integer,
      failures: integer,
    }),
    running: list(ref('RunBrief')),
    failing: list(ref('RunBrief')),
    next: list(tick),
  }),
  Document: { type: 'object' },
}
