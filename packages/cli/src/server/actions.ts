import { UsageError } from '../settings.ts'
import { ask, segmentOf } from './client.ts'
import { timeOf } from './lists.ts'
import { followRun } from './logs.ts'
import type { Command, Work } from './types.ts'

interface Accepted {
  readonly id: string
  readonly job: string
  readonly durable: boolean
}

/** Asks for a run of a job; with --follow its lines are shown until it has ended. */
export const runJob: Command = async (work) => {
  const { about, given } = work
  const { key, in: length, expires, reason, data } = given
  const query = { at: timeOf(given, 'at'), in: length, expires, reason }
  const accepted = await ask<Accepted>(work.server, `jobs/${segmentOf(about)}/runs`, {
    method: 'POST',
    query,
    ...(key !== undefined && { headers: { 'idempotency-key': keyOf(key) } }),
    ...(data !== undefined && { body: jsonOf(data) }),
  })
  return await shown(work, accepted)
}

/** Runs an ended run again. */
export const retryRun: Command = async (work) => {
  const { about, given } = work
  const accepted = await ask<Accepted>(work.server, `runs/${segmentOf(about)}/retry`, {
    method: 'POST',
    ...(given.key !== undefined && { headers: { 'idempotency-key': keyOf(given.key) } }),
    body: reasonOf(work),
  })
  return await shown(work, accepted)
}

export const cancelRun: Command = async (work) => {
  await ask(work.server, `runs/${segmentOf(work.about)}/cancel`, { method: 'POST', body: reasonOf(work) })
  return done(work, `run ${work.about}: cancel is asked for`)
}

export const pause: Command = async (work) => {
  const { given, server } = work
  const { reason, for: length } = given
  const body = JSON.stringify({ reason, for: length, until: timeOf(given, 'until') })
  await ask(server, pausePath(work), { method: 'POST', body })
  return done(work, `${whatOf(work)} paused`)
}

export const resume: Command = async (work) => {
  await ask(work.server, pausePath(work), { method: 'DELETE', body: reasonOf(work) })
  return done(work, `${whatOf(work)} resumed`)
}

/** All jobs must be named by --all: a variable of a script that is empty must not pause them. */
function pausePath({ about, given }: Work): string {
  if ((about === '') !== (given.all ?? false))
    throw new UsageError('the name of one job is expected, or --all for all jobs')
  return about === '' ? 'pause' : `jobs/${segmentOf(about)}/pause`
}

function whatOf({ about }: Work): string {
  return about === '' ? 'all jobs:' : `job ${about}:`
}

function reasonOf({ given }: Work): string {
  return JSON.stringify({ reason: given.reason })
}

/** A header holds these characters only. */
function keyOf(key: string): string {
  if (/^[\x20-\x7e]{1,200}$/.test(key)) return key
  throw new UsageError('--key: expected 1 to 200 letters, digits and signs of ASCII')
}

function jsonOf(data: string): string {
  try {
    return JSON.stringify(JSON.parse(data))
  } catch {
    throw new UsageError(`--data: expected JSON, e.g. '{"month":"2026-11"}'`)
  }
}

async function shown(work: Work, accepted: Accepted): Promise<number> {
  const { given, output } = work
  if (given.follow) return await followRun({ ...work, about: accepted.id })
  output.out(given.json ? JSON.stringify(accepted, undefined, 2) : accepted.id)
  return 0
}

function done({ given, output, about }: Work, text: string): number {
  output.out(given.json ? JSON.stringify({ done: true, ...(about !== '' && { about }) }, undefined, 2) : text)
  return 0
}
