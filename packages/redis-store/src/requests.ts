import type { RequestStore, RunRecord, RunRequest } from '@escapement/core'
import {
  decodeData,
  digestOf,
  encodeData,
  KEY_MS,
  keyReused,
  NO_FACTS,
  queueFull,
} from '@escapement/core/plugin'
import { rowOf, textOf } from './rows.ts'
import { ACCEPT, DUE, WAITING, WITHDRAW } from './scripts/index.ts'
import type { Writer } from './writer.ts'

/** Requests that are looked at in one round, and that are read. */
const MAX_LOOKED = 10_000
const MAX_READ = 500

interface RequestsParts {
  readonly writer: Writer
  readonly instance: () => string
  readonly owner: () => string
  /** How many runs of a job are kept at least. */
  readonly runs: number
}

/** Requests for runs wait in Redis: each with the record of its run, in state `due`, in one script. */
export function redisRequests({ writer, instance, owner, runs }: RequestsParts): RequestStore {
  return {
    durable: true,
    async accept(request, max) {
      const { id, job, at, expires, data, key, asked, retryOf, jobData } = request
      const input = { data: encodeData(data), key, asked, retryOf, jobData }
      const args = [
        ...[id, rowOf(recordOf(request, instance()), ''), textOf([job, String(at), String(expires)])],
        ...[JSON.stringify(input), max, key ?? '', digestOf(data), KEY_MS, runs],
      ]
      const answer = String(await writer.ask(ACCEPT, args))
      if (answer === 'full') throw queueFull(job, max)
      if (answer === 'reused') throw keyReused(job, key ?? '')
      return answer
    },
    async due(now, room) {
      const heads = (await writer.ask(DUE, [now, MAX_LOOKED])) as string[]
      const chosen = choose(heads, now, room).slice(0, MAX_READ)
      if (chosen.length === 0) return []
      const ids = JSON.stringify(chosen.map(({ id }) => id))
      const inputs = (await writer.ask(DUE, ['', ids])) as string[]
      return chosen.flatMap((one, i) => (inputs[i] ? [{ ...one, ...inputOf(inputs[i]) }] : []))
    },
    async waiting(ids) {
      return (await writer.ask(WAITING, [JSON.stringify(ids)])) as string[]
    },
    async withdraw(id) {
      return (await writer.ask(WITHDRAW, [id, owner()])) === 1
    },
  }
}

type Head = Pick<RunRequest, 'id' | 'job' | 'at' | 'expires'>

/** Those that can run, the oldest of each job first, and those that are over. */
function choose(heads: readonly string[], now: number, room: (job: string) => number): Head[] {
  const all: Head[] = []
  for (let i = 0; i < heads.length; i += 2) {
    const [job, at, expires] = JSON.parse(heads[i + 1] as string) as [string, string, string]
    all.push({ id: heads[i] as string, job, at: Number(at), expires: Number(expires) })
  }
  const left = new Map<string, number>()
  return all
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .filter(({ job, expires }) => {
      if (expires <= now) return true
      const free = left.get(job) ?? room(job)
      left.set(job, free - 1)
      return free > 0
    })
}

function inputOf(text: string): Omit<RunRequest, keyof Head> {
  const kept = JSON.parse(text) as Omit<RunRequest, keyof Head>
  return { ...kept, data: decodeData(kept.data), key: kept.key, asked: kept.asked }
}

function recordOf({ id, job, at, asked, retryOf, facts }: RunRequest, instance: string): RunRecord {
  return {
    ...(facts ?? { ...NO_FACTS, asked, retryOf }),
    id,
    key: id,
    job,
    scheduledAt: new Date(at),
    cause: retryOf === undefined ? 'manual' : 'retry',
    state: 'due',
    outcome: undefined,
    reason: undefined,
    attempt: 0,
    restarts: 0,
    startedAt: undefined,
    endedAt: undefined,
    late: 0,
    duration: undefined,
    until: undefined,
    count: undefined,
    error: undefined,
    errors: [],
    traceId: undefined,
    fence: undefined,
    instance,
  }
}
