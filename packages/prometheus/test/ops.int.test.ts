import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createScheduler, every, type Plugin } from '@escapement/core'
import { prometheus } from '@escapement/prometheus'
import express from 'express'
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { missing, run } from './programs.ts'

// Two apps, a Prometheus that scrapes them, and what is in ops/ run against it.

const ops = (name: string) => fileURLToPath(new URL(`../../../ops/${name}`, import.meta.url))
const dashboard = JSON.parse(readFileSync(ops('dashboard.json'), 'utf8')) as {
  panels: { title: string; targets?: { expr: string }[] }[]
  templating: { list: { name: string; definition?: string }[] }
}
const undo: (() => unknown)[] = []
let url: string

interface Answer<T> {
  status: string
  error?: string
  data: T
}

async function ask<T>(path: string, params: Record<string, string> = {}): Promise<Answer<T>> {
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(params)}`)
  return (await response.json()) as Answer<T>
}

type Series = { metric: Record<string, string>; value: [number, string] }
const query = async (expr: string) => (await ask<{ result: Series[] }>('query', { query: expr })).data.result

/** Waits until Prometheus says so: it looks each second or so. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  // Also called in hooks.
  await vi.waitFor(async () => expect(await holds(), what).toBe(true), { timeout: 40_000, interval: 200 })
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traced: Plugin = {
  name: 'traced',
  hooks: {
    run(run, next) {
      run.traceId = traceId
      run.traceparent = `00-${traceId}-b7ad6b7169203331-01`
      return next()
    },
  },
}
const faulty: Plugin = {
  name: 'faulty',
  hooks: {
    run() {
      throw new Error('a fault beside the run')
    },
  },
}
const logger = { debug() {}, info() {}, warn() {}, error() {} }

/** One instance: jobs that succeed, fail and overlap, each second. */
async function instance() {
  const metrics = prometheus()
  const scheduler = createScheduler({ logger, plugins: [metrics, traced, faulty] })
  scheduler.job('good', every('1s'), () => new Promise((resolve) => setTimeout(resolve, 20)))
  scheduler.job('bad', every('1s'), () => Promise.reject(new Error('no')))
  scheduler.job('long', every('1s'), () => new Promise((resolve) => setTimeout(resolve, 1500)))
  await scheduler.start()
  undo.push(() => scheduler.stop())
  return metrics
}

beforeAll(async () => {
  const app = express()
  app.get('/metrics', (await instance()).handler())
  const koa = new Koa()
  koa.use((await instance()).koa())
  const targets = [await listen(createServer(app)), await listen(createServer(koa.callback()))]

  const folder = await mkdtemp(join(tmpdir(), 'escapement-prometheus-'))
  undo.push(() => rm(folder, { recursive: true, force: true }))
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [ops('alerts.yml')],
    scrape_configs: [
      { job_name: 'shop', static_configs: [{ targets: targets.map((port) => `127.0.0.1:${port}`) }] },
    ],
  }
  // YAML is a superset of JSON.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const probe = createServer()
  const port = await listen(probe)
  probe.close()
  await once(probe, 'close')
  url = `http://127.0.0.1:${port}`
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', () => reject(missing('prometheus')))
  })
  undo.unshift(async () => {
    if (child.exitCode !== null) return
    child.kill()
    await once(child, 'exit')
  })
  await until(`both instances scraped\n${said}`, async () => {
    const ripe = await query('scheduler_job_runs_total{outcome="succeeded",job_name=~"good|long"} >= 3')
    return ripe.length === 4
  })
})

afterAll(async () => {
  for (const step of undo) await step()
})

describe('what Prometheus has scraped', () => {
  test('is accepted from both frameworks, without a complaint', async () => {
    interface Targets {
      activeTargets: { health: string; lastError: string }[]
    }
    const { data } = await ask<Targets>('targets')
    expect(data.activeTargets.map(({ health, lastError }) => [health, lastError])).toEqual([
      ['up', ''],
      ['up', ''],
    ])
  })

  test('leads from a duration and from a failure to the trace', async () => {
    interface Exemplars {
      seriesLabels: Record<string, string>
      exemplars: { labels: Record<string, string> }[]
    }
    for (const of of [
      'scheduler_job_run_duration_seconds_bucket',
      'scheduler_job_runs_total{outcome="failed"}',
    ]) {
      const now = Date.now() / 1000
      const params = { query: of, start: String(now - 60), end: String(now) }
      const { data } = await ask<Exemplars[]>('query_exemplars', params)
      expect(data.length, of).toBeGreaterThan(0)
      for (const { exemplars } of data) expect(exemplars[0]?.labels).toEqual({ trace_id: traceId })
    }
  })

  test('has the outcomes of the jobs', async () => {
    const failing = await query('sum by (job_name) (scheduler_job_runs_total{outcome="failed"}) > 0')
    expect(failing.map(({ metric }) => metric)).toEqual([{ job_name: 'bad' }])
    const overlapped = await query(
      'sum by (job_name) (scheduler_job_ticks_skipped_total{reason="overlap"}) > 0',
    )
    expect(overlapped.map(({ metric }) => metric)).toEqual([{ job_name: 'long' }])
  })
})

describe('the dashboard', () => {
  const panels = dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }, i) => [`${title} ${i + 1}`, expr] as const),
  )

  test('has panels', () => {
    expect(panels.length).toBeGreaterThan(20)
  })

  test.each(panels)('%s has data', async (_title, expr) => {
    const filled = expr
      .replaceAll('$__rate_interval', '10s')
      .replaceAll('"$job_name"', '".*"')
      .replaceAll('"$job"', '".*"')
    expect(filled).not.toContain('$')
    await until(expr, async () => {
      const { status, error, data } = await ask<{ result: Series[] }>('query', { query: filled })
      if (status !== 'success') throw new Error(error)
      return data.result.length > 0 && data.result.every(({ value }) => Number.isFinite(Number(value[1])))
    })
  })

  test.each(
    dashboard.templating.list.flatMap(({ name, definition }) => (definition ? [[name, definition]] : [])),
  )('the variable %s has values', async (_name, definition) => {
    const [, metric = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition as string) ?? []
    const match = metric.replaceAll('"$job"', '".*"')
    const { data } = await ask<string[]>(`label/${label}/values`, { 'match[]': match })
    expect(data.length).toBeGreaterThan(0)
  })
})

describe('the alert rules', () => {
  interface Rules {
    groups: { rules: { name: string; type: string; health: string; lastError?: string }[] }[]
  }
  interface Alerts {
    alerts: { state: string; labels: Record<string, string> }[]
  }

  test('are all evaluated', async () => {
    await until('all rules healthy', async () => {
      const { data } = await ask<Rules>('rules')
      const rules = data.groups.flatMap((group) => group.rules)
      return rules.length >= 14 && rules.every(({ health }) => health === 'ok')
    })
  })

  test('tell of the job that fails, once for the fleet, and of no other', async () => {
    const failing = async () => {
      const { data } = await ask<Alerts>('alerts')
      return data.alerts.filter(({ labels }) => labels.alertname === 'ScheduledJobFailing')
    }
    await until('ScheduledJobFailing', async () => (await failing()).length > 0)
    expect((await failing()).map(({ state, labels }) => [state, labels.job, labels.job_name])).toEqual([
      ['firing', 'shop', 'bad'],
    ])
  })

  test('pass their own tests', async () => {
    expect(await run('promtool', ['test', 'rules', ops('alerts.test.yml')])).toMatchObject({ code: 0 })
  })
})

test('the families are named and typed as promtool expects', async () => {
  const metrics = prometheus({ defaultMetrics: false, exemplars: false })
  const scheduler = createScheduler({ logger, plugins: [metrics, faulty] })
  scheduler.job('good', every('1s'), () => {})
  await scheduler.run('good', undefined, { wait: true })
  const checked = await run('promtool', ['check', 'metrics'], await metrics.registry.metrics())
  expect(checked).toEqual({ code: 0, output: '' })
})
