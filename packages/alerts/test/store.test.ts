import type { IncidentStore, JobState, Plugin } from '@escapement/core'
import { VirtualClock } from '@escapement/testing'
import { expect, test } from 'vitest'
import type { Incident } from '../src/index.ts'
import { recorder, type World, world } from './harness.ts'

/** A durable store that several schedulers share. Like a database, it keeps JSON and takes its time. */
function shared() {
  const kept = new Map<string, string>()
  const calls = { save: 0, conflict: 0 }
  const parse = (json: string) => JSON.parse(json) as Incident
  const incidents: IncidentStore = {
    async load(key) {
      await Promise.resolve()
      return [...kept.values()].map(parse).filter((incident) => key === undefined || incident.key === key)
    },
    async save(incident) {
      await Promise.resolve()
      calls.save++
      const before = kept.get(incident.key)
      if ((before ? parse(before).version : 0) !== incident.version - 1) {
        calls.conflict++
        return false
      }
      kept.set(incident.key, JSON.stringify(incident))
      return true
    },
    async remove(key, version) {
      await Promise.resolve()
      const before = kept.get(key)
      return before !== undefined && parse(before).version === version && kept.delete(key)
    },
  }
  const jobs = {
    enroll: (jobs: readonly unknown[]): JobState[] =>
      jobs.map(() => ({ decided: undefined, paused: undefined })),
    decided() {},
    pause() {},
  }
  const plugin = (): Plugin => ({ name: 'store', store: { record() {}, runs: () => [], jobs, incidents } })
  return { kept, calls, plugin, incidents: () => [...kept.values()].map(parse) }
}

const options = { groupWait: '30s', groupInterval: 0 }

test('a restart neither repeats nor forgets', async () => {
  const store = shared()
  const clock = new VirtualClock('2026-11-20T12:00:00Z')
  const start = () => world(options, { clock, plugins: [store.plugin()] })

  const first = start()
  first.flaky('told')
  first.flaky('untold')
  await first.scheduler.start()
  await first.run('told')
  await clock.advance('30s')
  expect(first.mail.lines).toEqual(['12:00:30 failed told open ×1 #0'])
  first.mail.fail = () => {
    throw new Error('the mail server is down')
  }
  await first.run('untold')
  const stopped = first.scheduler.stop()
  await clock.advance('1m')
  await stopped
  expect(first.plugin.stats().dropped).toBe(0)
  expect([...store.kept.keys()].sort()).toEqual(['channel-failed:mail', 'failed:told', 'failed:untold'])

  const second = start()
  const told = second.flaky('told')
  second.flaky('untold')
  await second.scheduler.start()
  await clock.advance('1m')
  expect(second.mail.lines).toEqual([expect.stringMatching(/failed untold open ×1 #0$/)])
  expect(second.mail.messages[0]?.notices[0]?.run?.scheduledAt).toBeInstanceOf(Date)
  told.broken = false
  await second.run('told')
  await clock.advance('1m')
  expect(second.mail.lines[1]).toMatch(/failed told recovered ×1 #1$/)
  expect(second.mail.messages[1]?.thread.id).toBe(first.mail.messages[0]?.id)
  expect([...store.kept.keys()]).toEqual(['failed:untold'])
})

test('digests and quiet hours outlast a stop', async () => {
  const store = shared()
  const clock = new VirtualClock('2026-11-20T23:00:00Z')
  const quiet = { from: '22:00', to: '07:00', timezone: 'UTC' }
  const start = () => world({ ...options, quiet }, { clock, plugins: [store.plugin()] })
  const first = start()
  first.flaky('report')
  await first.scheduler.start()
  await first.run('report')
  await first.scheduler.stop()
  expect(first.mail.lines).toEqual([])
  const second = start()
  second.flaky('report')
  await second.scheduler.start()
  await clock.advance('9h')
  expect(second.mail.lines).toEqual([expect.stringMatching(/^07:0\d:\d\d failed report open ×1 #0$/)])
})

function fleet(size: number, more = {}) {
  const store = shared()
  const clock = new VirtualClock('2026-11-20T12:00:00Z')
  const worlds = Array.from({ length: size }, (_, i) =>
    world({ ...options, ...more }, { clock, instance: `web-${i + 1}`, plugins: [store.plugin()] }),
  )
  const told = () => worlds.flatMap(({ mail }) => mail.lines)
  return { store, clock, worlds, told }
}

test('of several instances that see the same job fail, one tells', async () => {
  const { store, clock, worlds, told } = fleet(3)
  for (const { flaky, scheduler } of worlds) {
    flaky('report')
    await scheduler.start()
  }
  await Promise.all(worlds.map(({ run }) => run('report')))
  await clock.advance('10m')
  expect(told()).toEqual([expect.stringMatching(/^12:00:\d\d failed report open ×3 #0$/)])
  expect(store.calls.conflict).toBeGreaterThan(0)
  expect(store.incidents()).toMatchObject([{ key: 'failed:report', count: 3 }])
})

test('the success of one instance ends the incident of another; the end is reported once', async () => {
  const { store, clock, worlds, told } = fleet(2)
  const [a, b] = worlds as [World, World]
  const broken = [a.flaky('report'), b.flaky('report')] as const
  await a.scheduler.start()
  await b.scheduler.start()
  await a.run('report')
  await clock.advance('1m')
  broken[1].broken = false
  await b.run('report')
  await clock.advance('2m')
  expect(told()).toHaveLength(2)
  expect(told()[1]).toMatch(/failed report recovered ×1 #1$/)
  expect(store.incidents()).toEqual([])
  expect(a.plugin.incidents()).toEqual([])
  expect(b.plugin.incidents()).toEqual([])
})

test('failures on several instances count together', async () => {
  const { clock, worlds, told } = fleet(3, { after: 3 })
  for (const { flaky, scheduler } of worlds) {
    flaky('report')
    await scheduler.start()
  }
  for (const { run } of worlds) {
    await run('report')
    await clock.advance('1m')
  }
  await clock.advance('1m')
  expect(told()).toEqual([expect.stringMatching(/failed report open ×3 #0$/)])
})

test('what an instance was telling when it died is reported by another after five minutes', async () => {
  const store = shared()
  const clocks = [new VirtualClock('2026-11-20T12:00:00Z'), new VirtualClock('2026-11-20T12:00:00Z')] as const
  const [dying, other] = clocks.map((clock, i) =>
    world(options, { clock, instance: `web-${i + 1}`, plugins: [store.plugin()] }),
  ) as [World, World]
  for (const { flaky, scheduler } of [dying, other]) {
    flaky('report')
    await scheduler.start()
  }
  dying.mail.fail = () => new Promise(() => {})
  await dying.run('report')
  await clocks[0].advance('30s')
  expect(store.incidents()[0]?.claims.mail?.by).toBe('web-1')
  // Its clock stands still: it is dead.
  await clocks[1].advance('5m')
  expect(other.mail.lines).toEqual([])
  await clocks[1].advance('2m')
  expect(other.mail.lines).toEqual([expect.stringMatching(/^12:0[56]:\d\d failed report open ×1 #0/)])
})

test('what one instance cannot send is sent by another', async () => {
  const { clock, worlds } = fleet(2, { tries: 1 })
  const [cut, other] = worlds as [World, World]
  for (const { flaky, scheduler } of worlds) {
    flaky('report')
    await scheduler.start()
  }
  cut.mail.fail = () => {
    throw new Error('no route to the mail server')
  }
  await cut.run('report')
  await clock.advance('3m')
  expect(other.mail.lines[0]).toMatch(/failed report open ×1 #0/)
})

test('a storm over three instances: each job once, whoever sees it', async () => {
  const { clock, worlds, store } = fleet(3)
  const names = Array.from({ length: 100 }, (_, i) => `job-${i}`)
  for (const { flaky, scheduler } of worlds) {
    for (const name of names) flaky(name)
    await scheduler.start()
  }
  for (const name of names) await Promise.all(worlds.map(({ run }) => run(name)))
  await clock.advance('3m')
  const subjects = worlds.flatMap(({ mail }) =>
    mail.messages.flatMap(({ notices }) => notices.map((n) => n.subject)),
  )
  expect(subjects.sort()).toEqual([...names].sort())
  expect(store.incidents().every(({ count }) => count === 3)).toBe(true)
})

test('an instance that comes later adopts what is open, and tells a channel it alone has', async () => {
  const { clock, worlds, store } = fleet(1)
  const [first] = worlds as [World]
  first.flaky('report')
  await first.scheduler.start()
  await first.run('report')
  await clock.advance('1m')
  const pager = recorder('pager')
  const late = world(
    { ...options, channels: [pager] },
    { clock, instance: 'late', plugins: [store.plugin()] },
  )
  late.flaky('report')
  await late.scheduler.start()
  await clock.advance('1m')
  expect(pager.lines).toEqual([expect.stringMatching(/failed report open ×1 #0$/)])
})

test('an incident of a job that no version has any more is not repeated, and is forgotten after 90 days', async () => {
  const store = shared()
  const clock = new VirtualClock('2026-11-20T12:00:00Z')
  const start = () => world({ ...options, repeat: '4h' }, { clock, plugins: [store.plugin()] })
  const first = start()
  first.flaky('gone')
  first.flaky('stays')
  await first.scheduler.start()
  await first.run('gone')
  await first.run('stays')
  await clock.advance('1m')
  expect(first.mail.messages).toHaveLength(1)
  await first.scheduler.stop()

  const second = start()
  await second.scheduler.start()
  // As apps do that register jobs from a database.
  second.flaky('stays')
  await clock.advance('9h')
  expect(second.mail.lines.every((line) => line.includes('stays') && !line.includes('gone'))).toBe(true)
  expect(second.mail.lines).toHaveLength(2)
  expect([...store.kept.keys()].sort()).toEqual(['failed:gone', 'failed:stays'])
  await second.scheduler.stop()

  const left = store.incidents().find(({ subject }) => subject === 'gone') as Incident
  store.kept.set(left.key, JSON.stringify({ ...left, lastAt: clock.now() - 91 * 86_400_000 }))
  const third = start()
  third.flaky('stays')
  await third.scheduler.start()
  await clock.advance('1m')
  expect([...store.kept.keys()]).toEqual(['failed:stays'])
  expect(third.plugin.incidents().map(({ subject }) => subject)).toEqual(['stays'])
  await third.scheduler.stop()
})
