// Two instances, and what they need if it is not there: Redis, when REDIS_URL does not say where it is.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const ports = (process.env.PORTS ?? '3001,3002').split(',')
const children = []

let { REDIS_URL } = process.env
if (!REDIS_URL) {
  REDIS_URL = 'redis://localhost:6399'
  const redis = spawn('redis-server', ['--port', '6399', '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  })
  redis.on('error', () => {
    console.error('Redis is needed: docker compose up, or install redis-server, or set REDIS_URL')
    process.exit(1)
  })
  await once(redis, 'spawn')
  process.on('exit', () => redis.kill())
}

for (const [i, port] of ports.entries()) {
  const env = { ...process.env, REDIS_URL, PORT: port, INSTANCE: `web-${i + 1}` }
  const args = ['--import', './tracing.mjs', 'app.mjs']
  // In a group of its own, so that Ctrl-C reaches it through us, once.
  children.push(spawn(process.execPath, args, { cwd: folder, env, stdio: 'inherit', detached: true }))
}

let stopping = false
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopping = true
    for (const child of children) child.kill('SIGTERM')
  })
}
const codes = await Promise.all(
  children.map(async (child) => {
    const [code] = await once(child, 'exit')
    // One instance alone is not what this shows.
    if (!stopping) for (const other of children) other.kill('SIGTERM')
    return code ?? 1
  }),
)
process.exit(Math.max(...codes))
