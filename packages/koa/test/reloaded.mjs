import { createScheduler, every } from '@escapement/koa'
import Koa from 'koa'

const { reloaded } = globalThis
const scheduler = createScheduler({ logger: reloaded.logger })
scheduler.job('tick', every('500ms'), reloaded.handler())
export const handler = new Koa().use(scheduler.middleware()).callback()
