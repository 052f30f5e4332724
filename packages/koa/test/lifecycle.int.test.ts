import { lifecycle } from '../../http/test/kit/lifecycle.ts'
import { readmeSample } from '../../http/test/kit/readme.ts'
import { reload } from '../../http/test/kit/reload.ts'
import { signals } from '../../http/test/kit/signals.ts'

const app = new URL('./app.mjs', import.meta.url)

for (const version of ['koa2', 'koa3']) {
  lifecycle(app, version, {
    listens: ['http2.createServer', 'http2.createSecureServer'],
    places: ['a router', 'koa-mount', 'an app under koa-mount'],
  })
}

signals(app, 'koa3')

readmeSample('koa', ['koa2', 'koa'], new URL(import.meta.url))

reload(new URL('./reloaded.mjs', import.meta.url), new URL('./reloaded.cjs', import.meta.url))
