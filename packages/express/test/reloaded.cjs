const { createScheduler, every } = require('@escapement/express')
const express = require('express')
const { reloaded } = globalThis

const scheduler = createScheduler({ logger: reloaded.logger })
scheduler.job('tick', every('500ms'), reloaded.handler())
exports.handler = express().use(scheduler.middleware(), (_, res) => res.end())
