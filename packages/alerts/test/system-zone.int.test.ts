import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const run = promisify(execFile)

/** Uses whatever may ask for the zone of the process, and prints what came of it. */
const app = `
import { at, between, calendar, createScheduler, cron, every, limit, manual, upcoming } from '@escapement/core'
import { alerts } from '@escapement/alerts'
const sent = []
const channel = { name: 'list', send: async ({ notices }) => void sent.push(...notices.map(({ job }) => job.timezone)) }
const own = { timezone: 'Asia/Shanghai' }
const quiet = { from: '00:00', to: '00:01' }
const scheduler = createScheduler({ plugins: [alerts({ channels: [channel], groupWait: 0, quiet })], ...OPTIONS })
scheduler.job('cron', '0 9 * * *', () => {})
scheduler.job('local', at('2099-12-24 09:00'), () => {})
scheduler.job('elapsed', every('1h'), { blackout: calendar({ daily: '09:00-10:00' }) }, () => {})
scheduler.job('own', '0 9 * * *', own, () => {})
scheduler.job('fails', manual(), () => { throw new Error('on purpose') })
between('0 9 * * *', '2026-12-01', undefined)
limit('0 9 * * *', 3, { from: '2026-12-01' })
const [{ local }] = upcoming('0 9 * * *', { count: 1 })
await scheduler.start({ keepAlive: false })
await scheduler.run('fails', undefined, { wait: true })
const next = (name) => scheduler.get(name).next.toISOString().slice(11, 16)
const answer = { cron: next('cron'), own: next('own'), local: local.slice(19), zone: scheduler.timezone }
await scheduler.stop()
console.log(JSON.stringify({ ...answer, sent }))
`

async function start(TZ: string, options = '{}') {
  const { stdout, stderr } = await run(
    process.execPath,
    ['--input-type=module', '-e', app.replace('OPTIONS', options)],
    { env: { ...process.env, TZ }, cwd: fileURLToPath(new URL('..', import.meta.url)), timeout: 30_000 },
  )
  const lines = `${stdout}\n${stderr}`.split('\n')
  const answer = lines.find((line) => line.startsWith('{"cron"'))
  return {
    answer: JSON.parse(answer ?? '{}'),
    warnings: lines.filter((line) => line.includes('is no IANA zone')),
  }
}

describe('a process zone that is no IANA name is UTC, with one warning; nothing is refused and no alert is lost', () => {
  test.each(['', 'GMT+8', 'CST-8', ':/etc/localtime-that-is-not-there', 'CST', 'UTC0', 'Mars/Phobos'])(
    'TZ=%j',
    async (tz) => {
      const { answer, warnings } = await start(tz)
      expect(answer).toEqual({ cron: '09:00', own: '01:00', local: '+00:00', zone: 'UTC', sent: ['UTC'] })
      expect(warnings).toHaveLength(1)
    },
  )

  test('no warning where the scheduler has a zone', async () => {
    const { answer, warnings } = await start('CST-8', "{ timezone: 'Asia/Shanghai' }")
    expect(answer).toMatchObject({ cron: '01:00', zone: 'Asia/Shanghai', sent: ['Asia/Shanghai'] })
    expect(warnings).toEqual([])
  })

  test('a zone of the database is used as it is', async () => {
    const { answer, warnings } = await start('Asia/Shanghai')
    expect(answer).toMatchObject({ cron: '01:00', local: '+08:00', zone: 'Asia/Shanghai' })
    expect(warnings).toEqual([])
  })
})
