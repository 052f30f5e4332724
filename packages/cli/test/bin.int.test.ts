import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

function escapement(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path('../dist/bin.js'), ...argv], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

describe('the real program', () => {
  it('schema prints statements that make the tables of a file, and of which a second program needs none', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'cli-')), 'jobs.db')
    const printed = escapement('schema', 'sqlite', '--sql')
    expect(printed).toMatchObject({ status: 0, stderr: '' })
    // Made by the statements alone.
    const script = `
      const Database = process.getBuiltinModule('node:sqlite')?.DatabaseSync ?? require('libsql')
      const db = new Database(process.argv[1])
      db.exec(process.argv[2])
      const { createScheduler } = require('@escapement/core')
      const { sqlite } = require('@escapement/sqlite')
      const scheduler = createScheduler({ plugins: [sqlite({ file: process.argv[1], migrate: false })] })
      scheduler.start().then(() => scheduler.stop()).then(() => console.log('started and stopped'))`
    const ran = spawnSync(process.execPath, ['-e', script, file, printed.stdout], { encoding: 'utf8' })
    expect(ran.stdout).toContain('started and stopped')
  })
  it('schema of postgres in a schema of this name', () => {
    const { stdout } = escapement('schema', 'postgres', '--sql', '--schema', 'my_jobs')
    expect(stdout).toContain('CREATE SCHEMA IF NOT EXISTS "my_jobs"')
    expect(stdout).toContain('CREATE TABLE "my_jobs".runs (')
    expect(stdout).not.toContain('$.')
  })
  it.each([
    [['schema', 'sqlite'], 'use it with --sql'],
    [['schema', '--sql'], 'the database is missing: sqlite or postgres'],
    [['schema', 'oracle', '--sql'], 'expected sqlite or postgres, got "oracle"'],
    [['schema', 'postgres', '--sql', '--schema', 'My'], 'schema must be'],
    [['schema', 'sqlite', '--sql', '--from', '1'], 'from must be'],
    [['schema', 'postgres', '--sql', '--from', '1.0'], '--from: only for sqlite'],
  ])('%j is wrong usage', (argv, text) => {
    expect(escapement(...argv)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining(text),
    })
  })
  it('next', () => {
    const argv = ['next', '0 0 LW * *', '--tz', 'Asia/Shanghai', '-n', '1', '--from', '2026-11-20T00:00:00Z']
    expect(escapement(...argv)).toEqual({
      status: 0,
      stdout: '2026-11-30T00:00:00+08:00  2026-11-29T16:00:00Z\n',
      stderr: '',
    })
  })
  it('explain', () => {
    expect(escapement('explain', '0 9 * * *', '2026-11-20 10:00', '--tz', 'UTC')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('hour is 10; "9" allows 9'),
    })
  })
  it('describe in Chinese', () => {
    expect(escapement('describe', '0 0 LW * *', '--lang', 'zh').stdout).toBe(
      '在00:00, 限每月的最后一个工作日\n',
    )
  })
  it('a refused expression is 1, wrong usage is 2; both on stderr', () => {
    expect(escapement('next', '0 25 * * *')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('position 3'),
    })
    expect(escapement('year')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('--help'),
    })
  })
  it('stops quietly when its reader does', () => {
    const bin = path('../dist/bin.js')
    const { status, stdout, stderr } = spawnSync(
      'sh',
      ['-c', `"${process.execPath}" "${bin}" next "* * * * *" -n 100000 | head -1`],
      { encoding: 'utf8' },
    )
    expect([status, stdout.split('\n').length, stderr]).toEqual([0, 2, ''])
  })
})
