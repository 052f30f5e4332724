import type { Call } from './call.ts'
import type { Events } from './events.ts'
import { AUDIT_ACTIONS, CAUSES, OUTCOMES, STATES } from './known.ts'
import { readCalendar } from './reads/calendar.ts'
import { readExplain } from './reads/explain.ts'
import { listJobs, readJob, readUpcoming } from './reads/jobs.ts'
import { listAudit, listIncidents, listInstances, readPreview, readStats } from './reads/others.ts'
import { readOverview, readTicks } from './reads/overview.ts'
import { listRuns, readLogs, readRun } from './reads/runs.ts'
import { pauseAll, pauseJob, resumeAll, resumeJob } from './writes/pauses.ts'
import { askForRun, cancelRun, many, retryRun } from './writes/runs.ts'

/** A parameter of a route, as OpenAPI describes it. */
export interface Parameter {
  readonly name: string
  readonly description: string
  readonly schema: Readonly<Record<string, unknown>>
  readonly required?: boolean
  readonly in?: 'query' | 'header'
}

/** One thing that can be asked. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `/api/v1`; `{name}` stands for one segment. */
  readonly path: string
  readonly summary: string
  /** What the one that asks must be. */
  readonly role: 'viewer' | 'operator'
  readonly parameters?: readonly Parameter[]
  /** The name of the schema of the body. */
  readonly body?: string
  /** The status of success, and the name of the schema of its body; undefined: none, or a text. */
  readonly status: number
  readonly answer?: string
  readonly type?: string
  readonly handle: (call: Call) => unknown
}

const text = (name: string, description: string): Parameter => ({
  name,
  description,
  schema: { type: 'string', maxLength: 200 },
})
const among = (name: string, values: readonly string[]): Parameter => ({
  name,
  description: `One or several, with commas: ${values.join(', ')}.`,
  schema: { type: 'string' },
})
const instant = (name: string, description: string): Parameter => ({
  name,
  description: `${description} ISO 8601, or ms since 1970.`,
  schema: { type: 'string' },
})
const limit: Parameter = {
  name: 'limit',
  description: 'The most entries. Default 50.',
  schema: { type: 'integer', minimum: 1, maximum: 2000 },
}
const before = text('before', 'The cursor `next` of a page: older entries follow.')
const filters: readonly Parameter[] = [
  text('job', 'The name of the job.'),
  among('outcome', OUTCOMES),
  among('state', STATES),
  among('cause', CAUSES),
  instant('from', 'Made at this instant or later.'),
  instant('until', 'Made before this instant.'),
  text('text', 'In the name of the job or the message of the last error.'),
  { name: 'key', description: 'Of this tick.', schema: { type: 'string', maxLength: 300 } },
]
const key: Parameter = {
  name: 'idempotency-key',
  in: 'header',
  description: 'Asked again with the same key within 24 h, the answer names the first run.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
}

function ofMany(what: 'cancel' | 'retry', summary: string): Route {
  const schema = { type: 'string', enum: ['true', 'false'] }
  return {
    method: 'POST',
    path: `/runs/${what}`,
    summary,
    role: 'operator',
    parameters: [...filters, { name: 'dryRun', description: 'Only list them.', schema }],
    body: 'Reason',
    status: 200,
    answer: 'Many',
    handle: many(what),
  }
}

/** All routes. The document for programs is made from them. */
export function routesOf(events: Events, document: (call: Call) => unknown): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/overview',
      summary: 'All that the first screen shows',
      role: 'viewer',
      status: 200,
      answer: 'Overview',
      handle: readOverview,
    },
    {
      method: 'GET',
      path: '/jobs',
      summary: 'Jobs by name',
      role: 'viewer',
      parameters: [
        text('text', 'In the name or the description.'),
        text('group', 'The group.'),
        text('owner', 'The owner.'),
        {
          name: 'state',
          description: 'How they stand.',
          schema: { type: 'string', enum: ['paused', 'running', 'failing', 'overdue'] },
        },
        before,
        limit,
      ],
      status: 200,
      answer: 'Jobs',
      handle: listJobs,
    },
    {
      method: 'GET',
      path: '/upcoming',
      summary: 'The coming ticks of all jobs',
      role: 'viewer',
      parameters: [
        instant('from', 'After this instant. Default now.'),
        instant('until', 'Up to this instant. Default 12 h later, at most 14 days.'),
        { ...limit, schema: { type: 'integer', minimum: 1, maximum: 10_000 } },
      ],
      status: 200,
      answer: 'Ticks',
      handle: readTicks,
    },
    {
      method: 'GET',
      path: '/jobs/{name}',
      summary: 'A job',
      role: 'viewer',
      status: 200,
      answer: 'Job',
      handle: readJob,
    },
    {
      method: 'GET',
      path: '/jobs/{name}/upcoming',
      summary: 'The coming ticks of a job',
      role: 'viewer',
      parameters: [instant('from', 'After this instant.'), instant('until', 'Up to this instant.'), limit],
      status: 200,
      answer: 'Upcoming',
      handle: readUpcoming,
    },
    {
      method: 'GET',
      path: '/jobs/{name}/explain',
      summary: 'Why a job did, or did not, run at an instant',
      role: 'viewer',
      parameters: [{ ...instant('at', 'The instant.'), required: true }],
      status: 200,
      answer: 'Explain',
      handle: readExplain,
    },
    {
      method: 'POST',
      path: '/jobs/{name}/runs',
      summary: 'Ask for a run; the body is its data',
      role: 'operator',
      parameters: [
        key,
        instant('at', 'When it is to run.'),
        text('in', 'In how long it is to run, as 10m.'),
        text('expires', 'How long it may wait for its turn.'),
        {
          name: 'reason',
          description: 'The reason: the record gives it.',
          schema: { type: 'string', maxLength: 1000 },
        },
      ],
      body: 'Data',
      status: 202,
      answer: 'Accepted',
      handle: askForRun,
    },
    {
      method: 'POST',
      path: '/jobs/{name}/pause',
      summary: 'Pause a job',
      role: 'operator',
      body: 'Pause',
      status: 204,
      handle: pauseJob,
    },
    {
      method: 'DELETE',
      path: '/jobs/{name}/pause',
      summary: 'Resume a job',
      role: 'operator',
      body: 'Reason',
      status: 204,
      handle: resumeJob,
    },
    {
      method: 'POST',
      path: '/pause',
      summary: 'Pause all jobs',
      role: 'operator',
      body: 'Pause',
      status: 204,
      handle: pauseAll,
    },
    {
      method: 'DELETE',
      path: '/pause',
      summary: 'Resume all jobs',
      role: 'operator',
      body: 'Reason',
      status: 204,
      handle: resumeAll,
    },
    {
      method: 'GET',
      path: '/runs',
      summary: 'Runs, the newest first',
      role: 'viewer',
      parameters: [
        ...filters,
        before,
        text('after', 'The cursor `previous` of a page: newer entries follow.'),
        limit,
      ],
      status: 200,
      answer: 'Runs',
      handle: listRuns,
    },
    ofMany('cancel', 'Cancel the runs of a filter that have not ended, at most 100'),
    ofMany('retry', 'Run the ended runs of a filter again, at most 100'),
    {
      method: 'GET',
      path: '/runs/{id}',
      summary: 'A run',
      role: 'viewer',
      status: 200,
      answer: 'Run',
      handle: readRun,
    },
    {
      method: 'GET',
      path: '/runs/{id}/logs',
      summary: 'The lines that a run has written',
      role: 'viewer',
      parameters: [
        among('level', ['debug', 'info', 'warn', 'error']),
        text('text', 'In the message.'),
        {
          name: 'after',
          description: 'How many lines are known: those that follow.',
          schema: { type: 'integer', minimum: 1, maximum: 1000 },
        },
      ],
      status: 200,
      answer: 'Logs',
      handle: readLogs,
    },
    {
      method: 'POST',
      path: '/runs/{id}/cancel',
      summary: 'Cancel a run',
      role: 'operator',
      body: 'Reason',
      status: 204,
      handle: cancelRun,
    },
    {
      method: 'POST',
      path: '/runs/{id}/retry',
      summary: 'Run an ended run again',
      role: 'operator',
      parameters: [key],
      body: 'Reason',
      status: 202,
      answer: 'Accepted',
      handle: retryRun,
    },
    {
      method: 'GET',
      path: '/stats',
      summary: 'What was counted, by hour or day',
      role: 'viewer',
      parameters: [
        instant('from', 'Default a day ago.'),
        instant('until', 'Default now.'),
        { name: 'step', description: 'Default hour.', schema: { type: 'string', enum: ['hour', 'day'] } },
        text('job', 'Of one job.'),
        { name: 'each', description: 'Of each job apart.', schema: { type: 'string', enum: ['job'] } },
      ],
      status: 200,
      answer: 'Stats',
      handle: readStats,
    },
    {
      method: 'GET',
      path: '/incidents',
      summary: 'What is wrong now',
      role: 'viewer',
      status: 200,
      answer: 'Incidents',
      handle: listIncidents,
    },
    {
      method: 'GET',
      path: '/instances',
      summary: 'The instances, and what has happened to them',
      role: 'viewer',
      parameters: [
        instant('from', 'Events from this instant on.'),
        instant('until', 'Events before this instant.'),
        limit,
      ],
      status: 200,
      answer: 'Instances',
      handle: listInstances,
    },
    {
      method: 'GET',
      path: '/audit',
      summary: 'What people did, the newest first',
      role: 'viewer',
      parameters: [
        text('job', 'The name of the job.'),
        text('run', 'The id of the run.'),
        { name: 'action', description: 'What was done.', schema: { type: 'string', enum: AUDIT_ACTIONS } },
        text('by', 'The person or program.'),
        instant('from', 'From this instant on.'),
        instant('until', 'Before this instant.'),
        before,
        limit,
      ],
      status: 200,
      answer: 'Audit',
      handle: listAudit,
    },
    {
      method: 'GET',
      path: '/preview',
      summary: 'A schedule in words, with its next ticks',
      role: 'viewer',
      parameters: [
        {
          name: 'schedule',
          description: 'A cron expression.',
          schema: { type: 'string', maxLength: 500 },
          required: true,
        },
        text('timezone', 'An IANA zone.'),
        limit,
      ],
      status: 200,
      answer: 'Preview',
      handle: readPreview,
    },
    {
      method: 'GET',
      path: '/calendar.ics',
      summary: 'The coming ticks as iCalendar',
      role: 'viewer',
      status: 200,
      type: 'text/calendar',
      handle: readCalendar,
    },
    {
      method: 'GET',
      path: '/events',
      summary: 'What changes, as server-sent events',
      role: 'viewer',
      parameters: [text('after', 'The id of the last message.')],
      status: 200,
      type: 'text/event-stream',
      handle: events.answer,
    },
    {
      method: 'GET',
      path: '/openapi.json',
      summary: 'This document',
      role: 'viewer',
      status: 200,
      answer: 'Document',
      handle: document,
    },
  ]
}
