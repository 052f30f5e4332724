const { createScheduler, every } = require('@escapement/koa')
const Koa = require('koa')
const { reloaded } = globalThis

const scheduler = createScheduler({ logger: reloaded.logger })
scheduler.job('tick', every('500ms'), reloaded.handler())
exports.handler = new Koa().use(scheduler.middleware()).callback()
