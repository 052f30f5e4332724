import { expect, it } from 'vitest'
import { inOrder, start } from '../../http/test/kit/child.ts'
import { lifecycle } from '../../http/test/kit/lifecycle.ts'
import { readmeSample } from '../../http/test/kit/readme.ts'
import { reload } from '../../http/test/kit/reload.ts'
import { signals } from '../../http/test/kit/signals.ts'

const app = new URL('./app.mjs', import.meta.url)

for (const version of ['express4', 'express5']) {
  lifecycle(app, version, {
    places: [
      'app, under a path',
      'a route',
      'a router',
      'a router in a router',
      'a sub-app',
      'a sub-app mounted before',
      'a sub-app in a sub-app',
      'a router in a sub-app',
    ],
    libraries: ['express-graceful-exit'],
    others: ['mounted after listening'],
  })
}

signals(app, 'express5')

readmeSample('express', ['express4', 'express'], new URL(import.meta.url))

reload(new URL('./reloaded.mjs', import.meta.url), new URL('./reloaded.cjs', import.meta.url))

it('Nest with shutdown hooks waits for the run', async () => {
  using child = start([app.pathname, 'express5', '["nest"]'])
  expect(await child.end).toEqual({ code: null, signal: 'SIGTERM' })
  const { told } = child
  expect(told).toSatisfy(() => inOrder(told, 'start', 'running', 'drain', 'settled', 'stop', 'closed'))
  expect(child.find('settled')).toMatchObject({ outcome: 'succeeded' })
})

it('does not report writes to a finished response in production', async () => {
  using child = start([app.pathname, 'express5', '["a run asked for by a request"]'], {
    NODE_ENV: 'production',
  })
  await child.end
  expect(child.find('outlived')).toMatchObject({ status: 200 })
  expect(child.output).not.toContain('finished response')
})
