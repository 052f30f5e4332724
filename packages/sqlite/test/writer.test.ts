import { VirtualClock } from '@escapement/testing'
import { expect, test } from 'vitest'
import type { Database } from '../src/file/driver.ts'
import { Writer } from '../src/writer/writer.ts'

/** A writer whose file is out of order until it is mended, and the sizes of the groups that are then written. */
function broken() {
  const groups: number[] = []
  let [works, size] = [false, 0]
  const db = {
    exec(sql: string) {
      if (!works) throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' })
      if (sql === 'BEGIN IMMEDIATE') size = 0
      if (sql === 'COMMIT') groups.push(size)
    },
    prepare: () => ({ run: () => ({ changes: ++size }) }),
    close() {},
  } as unknown as Database
  const mend = () => {
    works = true
  }
  const clock = new VirtualClock()
  const writer = new Writer(() => db, 100)
  writer.clock = clock
  const errors: string[] = []
  writer.trouble.onError = (error) => errors.push((error as Error).message)
  const notices: string[] = []
  writer.trouble.onNotice = (line) => void notices.push(line)
  return { writer, clock, errors, notices, groups, mend }
}

test('what has piled up is written in groups, with a turn of the loop between', async () => {
  const { writer, clock, errors, groups, mend } = broken()
  for (let i = 0; i < 5000; i++) writer.later((prepared) => prepared.run('x'))
  await clock.advance(1000)
  expect(new Set(errors)).toEqual(new Set(['disk I/O error']))
  expect(errors.length).toBe(1)
  mend()
  await clock.advance(1000)
  expect(groups).toEqual([2000, 2000, 1000])
})

test('memory is bounded while the file cannot be written: the oldest are given up, and it is reported', async () => {
  const { writer, clock, errors, notices, groups, mend } = broken()
  for (let i = 0; i < 250_000; i++) writer.later((prepared) => prepared.run('x'))
  expect(errors).toEqual(['200000 records or 64 MiB wait for the file: the oldest are given up from now on'])
  mend()
  await clock.advance(1500)
  expect(notices).toEqual(['the file can be written again: 60000 records were given up meanwhile'])
  expect(groups.reduce((sum, size) => sum + size)).toBe(190_000)
})

test('memory is bounded in bytes as well', async () => {
  const { writer, errors } = broken()
  for (let i = 0; i < 1000; i++) writer.later((prepared) => prepared.run('x'), 100_000)
  expect(errors).toEqual(['200000 records or 64 MiB wait for the file: the oldest are given up from now on'])
})
