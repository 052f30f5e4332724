import { createScheduler, every } from '@escapement/express'
import express from 'express'

const { reloaded } = globalThis
const scheduler = createScheduler({ logger: reloaded.logger })
scheduler.job('tick', every('500ms'), reloaded.handler())
export const handler = express().use(scheduler.middleware(), (_, res) => res.end())
