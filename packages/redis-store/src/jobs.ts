import type { IncidentStore, JobStore } from '@escapement/core'
import { WATERMARK_AHEAD } from '@escapement/core/plugin'
import { textOf } from './rows.ts'
import { DECIDED, ENROLL, INCIDENT, RENAME } from './scripts/index.ts'
import type { Writer } from './writer.ts'

/** How far each job is decided. */
export function redisJobs(writer: Writer, limits: readonly [runs: number, failures: number]): JobStore {
  /** Watermarks that are not written yet. */
  let decided = new Map<string, number>()
  const write = () => {
    const given = [...decided].flatMap(([job, at]) => [job, String(at)])
    decided = new Map()
    if (given.length > 0) writer.later(DECIDED, [textOf(given)])
  }
  return {
    async enroll(jobs, now) {
      write()
      const names = new Set(jobs.map(({ name }) => name))
      const states = jobs.map(async ({ name, digest, formerly = '', paused }) => {
        // Another job that has the name now keeps what is its own.
        const before = names.has(formerly) ? '' : formerly
        const rename = [before, name, name.toLowerCase(), ...limits]
        if (before !== '') while ((await writer.ask(RENAME, rename)) === 1);
        const args = [name, digest, before, paused ? '1' : '', now, WATERMARK_AHEAD]
        const kept = String(await writer.ask(ENROLL, args))
        return { decided: kept === '' ? undefined : Number(kept) }
      })
      return Promise.all(states)
    },
    decided(job, at) {
      if (decided.size === 0) setImmediate(write)
      decided.set(job, Math.max(at, decided.get(job) ?? 0))
    },
  }
}

/** Where alerts keep their incidents. */
export function redisIncidents(writer: Writer): IncidentStore {
  return {
    async load(key = '') {
      const texts = (await writer.ask(INCIDENT, ['load', key])) as string[]
      return texts.map((text) => JSON.parse(text))
    },
    async save(incident) {
      const { key, version } = incident
      return (await writer.ask(INCIDENT, ['save', key, version, JSON.stringify(incident)])) === 1
    },
    async remove(key, version) {
      return (await writer.ask(INCIDENT, ['remove', key, version])) === 1
    },
  }
}
