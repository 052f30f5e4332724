import type { FleetSelf, Pause } from '@escapement/core'
import { VirtualClock } from '@escapement/testing'
import { expect, test } from 'vitest'
import { SharedFleet } from '../src/fleet/shared-fleet.ts'
import type { Sql } from '../src/sql.ts'

/** A database of which only this can be told: whether it takes statements, and who has paused the job. */
function database() {
  const state = { writable: true, readable: true, version: 1, by: '' }
  const sql: Sql = {
    async rows(text) {
      if (!state.readable || (!state.writable && !text.startsWith('SELECT'))) throw new Error('disk full')
      if (text.includes('$.news')) return [{ version: state.version }]
      if (!text.startsWith('SELECT job, body') || state.by === '') return []
      return [{ job: 'job', body: JSON.stringify({ at: 0, by: state.by }) }]
    },
  }
  return { state, sql }
}

function member(sql: Sql) {
  const clock = new VirtualClock()
  const faults: unknown[] = []
  let pauses: readonly Pause[] = []
  const self = {
    instance: 'a',
    describe: () => ({ jobs: {}, startedAt: new Date(0) }),
    pausesChanged: (changed: readonly Pause[]) => {
      pauses = changed
    },
    command: () => 'unknown',
  } as unknown as FleetSelf
  const fleet = new SharedFleet({
    sql,
    clock,
    poll: 400,
    owner: () => 'life',
    now: '?',
    onFault: (error) => void faults.push(error),
  })
  return { clock, fleet, self, faults, by: () => pauses.map(({ by }) => by) }
}

test('an instance that comes while nothing can be written knows the pauses, and those that are made later', async () => {
  const { state, sql } = database()
  Object.assign(state, { writable: false, by: 'ann' })
  const { clock, fleet, self, faults, by } = member(sql)
  expect((await fleet.join(self)).map((pause) => pause.by)).toEqual(['ann'])
  expect(faults).toHaveLength(1)
  Object.assign(state, { version: 2, by: 'bob' })
  await clock.advance('1s')
  expect(by()).toEqual(['bob'])
})

test('one that comes while nothing can be read learns of them afterwards', async () => {
  const { state, sql } = database()
  Object.assign(state, { readable: false, by: 'ann' })
  const { clock, fleet, self, by } = member(sql)
  await expect(fleet.join(self)).rejects.toThrow('disk full')
  state.readable = true
  await clock.advance('1s')
  expect(by()).toEqual(['ann'])
})
