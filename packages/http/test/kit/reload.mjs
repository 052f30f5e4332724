// node reload.mjs file://…/reloaded.mjs: a development server that loads a changed module again in its process.
import http from 'node:http'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { freePort, get, listening, say, sleep } from './stage.mjs'

let version = 0
const waiting = new Set()

/** What an app needs to tell of its ticks. */
globalThis.reloaded = {
  logger: {
    debug() {},
    info() {},
    warn: (_, text) => say('warn', { text, version }),
    error: (_, text) => say('error', { text, version }),
  },
  /** A handler that tells with which version of the code each tick was run. */
  handler() {
    const own = version
    return (run) => {
      say('tick', { at: run.tick.scheduledAt.getTime(), version: own })
      for (const check of waiting) check(own)
    }
  },
}

/** Resolves when a version has run some ticks. */
function ticked(own, ticks) {
  return new Promise((resolve) => {
    const check = (version) => {
      if (version !== own || --ticks > 0) return
      waiting.delete(check)
      resolve()
    }
    waiting.add(check)
  })
}

async function load(url) {
  version++
  if (url.endsWith('.mjs')) return (await import(`${url}?v=${version}`)).handler
  const require = createRequire(import.meta.url)
  const file = fileURLToPath(url)
  delete require.cache[file]
  return require(file).handler
}

const url = process.argv[2]
let current = await load(url)
const server = await listening(http.createServer((req, res) => current(req, res)).listen(await freePort()))
const { port } = server.address()
await ticked(1, 2)
await get(port)
await ticked(1, 1)
current = await load(url)
// The loop is busy while a tick comes due, as it is when a module takes its time to load.
const end = Date.now() + 400
while (Date.now() < end);
await ticked(2, 3)
// Changed twice in short order.
current = await load(url)
// Time is the subject.
await sleep(300)
current = await load(url)
await ticked(4, 3)
await get(port)
await ticked(4, 2)
await new Promise((resolve) => server.close(resolve))
say('closed')
