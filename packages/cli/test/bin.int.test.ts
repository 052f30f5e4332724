import { spawnSync } from 'node:child_process'
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
