import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { figure, forked, table } from '../measure.mjs'

export const title = 'A fleet on one Redis: 10 instances, 1,000 one-second jobs'

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export async function run({ quick }) {
  const [instances, jobs, seconds] = quick ? [3, 100, 3] : [10, 1000, 10]
  const rows = []
  for (const kind of ['floor', 'escapement', 'bullmq']) {
    const measured = await measureFleet({
      kind,
      instances,
      jobs,
      seconds,
      stops: true,
      hang: kind === 'escapement',
    })
    const { p50, p99, runs, cpu, commands, calls, stalled, back } = measured
    rows.push([
      kind,
      `${figure(p50, 0)} ms`,
      `${figure(p99, 0)} ms`,
      `${figure(runs)} of ${figure(jobs * seconds)}`,
      `${figure(cpu, 1)} µs`,
      figure(commands, 1),
      figure(calls, 1),
      `${figure(stalled)} of ${figure(jobs * seconds)}`,
      back === undefined ? '' : `${figure(back, 1)} s`,
    ])
  }
  const heads = [
    'late, p50',
    'p99',
    'runs',
    'Redis CPU a tick',
    'commands a tick',
    'reads an instance and second',
    'runs while all are stopped for 0.3 of each 0.9 s',
  ]
  return table(['', ...heads, 'all ticks run again after Redis hung 3 s'], rows)
}

/**
 * Runs a fleet for so many seconds. CPU and commands are Redis' own accounts. With `stops`, for as long again while all
 * are stopped time and again: `stalled` runs. With `hang`, Redis is stopped for three seconds afterwards; `back` is how
 * long after that the first tick is due from which on all of them run, in s.
 */
export async function measureFleet({ kind, instances, jobs, seconds, stops = false, hang = false }) {
  const port = await freePort()
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', args.map(String), { stdio: 'ignore' })
  const redis = new Redis({ port, host: '127.0.0.1' })
  redis.on('error', () => {})
  const children = []
  /** The runs since the last time. */
  const collect = async () => {
    const answers = children.map((child) => once(child, 'message'))
    for (const child of children) child.send('runs')
    return (await Promise.all(answers)).flatMap(([runs]) => runs)
  }
  try {
    await redis.ping()
    for (let i = 0; i < instances; i++) {
      const child = forked('fleet', [kind, port, jobs, i, instances])
      children.push(child)
      await once(child, 'message')
    }
    // For the length of a lease, a Redis that has just started is not trusted.
    await sleep(20_000)
    const before = await account(redis)
    await collect()
    await sleep(seconds * 1000)
    const runs = await collect()
    const after = await account(redis)
    const late = runs.map(([, ms]) => ms).sort((a, b) => a - b)
    const ticks = jobs * seconds
    const stalled = stops ? await stalls([...children, server], seconds, collect) : undefined
    let back
    if (hang) {
      server.kill('SIGSTOP')
      await sleep(3000)
      server.kill('SIGCONT')
      const resumed = Date.now()
      await sleep(20_000)
      back = firstWhole(await collect(), jobs, resumed)
    }
    return {
      p50: late[Math.floor(late.length / 2)],
      p99: late[Math.floor(late.length * 0.99)],
      runs: late.length,
      cpu: ((after.cpu - before.cpu) * 1e6) / ticks,
      commands: (after.commands - before.commands) / ticks,
      calls: (after.reads - before.reads) / instances / seconds,
      stalled,
      back,
    }
  } finally {
    for (const child of children) child.kill('SIGKILL')
    redis.disconnect()
    server.kill('SIGKILL')
  }
}

/** How many of the ticks of so many seconds run while all processes are stopped for 0.3 of each 0.9 s. */
async function stalls(processes, seconds, collect) {
  const from = Math.ceil(Date.now() / 1000) * 1000
  const to = from + seconds * 1000
  while (Date.now() < to) {
    for (const { pid } of processes) process.kill(pid, 'SIGSTOP')
    await sleep(300)
    for (const { pid } of processes) process.kill(pid, 'SIGCONT')
    await sleep(600)
  }
  await sleep(2000)
  return (await collect()).filter(([at]) => at >= from && at < to).length
}

/** When the first second begins from which on all ticks run, in s after `from`; the last seconds may be under way. */
function firstWhole(runs, jobs, from) {
  const counts = new Map()
  for (const [at] of runs) {
    const second = Math.floor(at / 1000)
    counts.set(second, (counts.get(second) ?? 0) + 1)
  }
  let first = Math.floor(from / 1000) + 18
  while (counts.get(first - 1) >= jobs && (first - 1) * 1000 >= from) first--
  return (first * 1000 - from) / 1000
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
