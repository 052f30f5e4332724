import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { figure, forked, table } from '../measure.mjs'

export const title = 'A fleet on one Redis: 10 instances, 1,000 one-second jobs'

export async function run({ quick }) {
  const [instances, jobs, seconds] = quick ? [3, 100, 3] : [10, 1000, 10]
  const rows = []
  for (const kind of ['floor', 'escapement', 'bullmq']) {
    const { p50, p99, runs, cpu, commands, calls } = await measureFleet({ kind, instances, jobs, seconds })
    const expected = jobs * seconds
    rows.push([
      kind,
      `${figure(p50, 0)} ms`,
      `${figure(p99, 0)} ms`,
      `${figure(runs)} of ${figure(expected)}`,
      `${figure(cpu, 1)} µs`,
      figure(commands, 1),
      figure(calls, 1),
    ])
  }
  return table(
    ['', 'late, p50', 'p99', 'runs', 'Redis CPU a tick', 'commands a tick', 'reads an instance and second'],
    rows,
  )
}

/** Runs a fleet for so many seconds. CPU and commands are Redis' own accounts. */
export async function measureFleet({ kind, instances, jobs, seconds }) {
  const port = await freePort()
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', args.map(String), { stdio: 'ignore' })
  const redis = new Redis({ port, host: '127.0.0.1' })
  redis.on('error', () => {})
  const children = []
  try {
    await redis.ping()
    for (let i = 0; i < instances; i++) {
      const child = forked('fleet', [kind, port, jobs, seconds, i, instances])
      children.push(child)
      await once(child, 'message')
    }
    // For the length of a lease, a Redis that has just started is not trusted.
    await new Promise((resolve) => setTimeout(resolve, 20_000))
    const before = await account(redis)
    for (const child of children) child.send('measure')
    const told = await Promise.all(children.map(async (child) => (await once(child, 'message'))[0]))
    const after = await account(redis)
    const late = told.flatMap((one) => one.late).sort((a, b) => a - b)
    const ticks = jobs * seconds
    return {
      p50: late[Math.floor(late.length / 2)],
      p99: late[Math.floor(late.length * 0.99)],
      runs: late.length,
      cpu: ((after.cpu - before.cpu) * 1e6) / ticks,
      commands: (after.commands - before.commands) / ticks,
      calls: (after.reads - before.reads) / instances / seconds,
    }
  } finally {
    for (const child of children) child.kill('SIGKILL')
    redis.disconnect()
    server.kill('SIGKILL')
  }
}

async function account(redis) {
  const info = await redis.info()
  const read = (key) => Number(new RegExp(`^${key}:([\\d.]+)`, 'm').exec(info)?.[1])
  return {
    cpu: read('used_cpu_user') + read('used_cpu_sys'),
    commands: read('total_commands_processed'),
    reads: read('total_reads_processed'),
  }
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}
