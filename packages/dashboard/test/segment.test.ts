import { expect, test } from 'vitest'
import { segment } from '../src/page/api/client.ts'

test.each(['.', '..', '...', 'a/b', '~1', '~2', '100% 日本 🧀', '../..'])(
  'the job %j is one segment of a path, and the API reads it back',
  (name) => {
    const { pathname } = new URL(`jobs/${segment(name)}/pause`, 'http://localhost/api/v1/')
    const [jobs, sent = '', pause, ...more] = pathname.slice('/api/v1/'.length).split('/')
    expect([jobs, pause, more]).toEqual(['jobs', 'pause', []])
    const read = decodeURIComponent(sent).replaceAll('~1', '/').replaceAll('~2', '.').replaceAll('~0', '~')
    expect(read).toBe(name)
  },
)
